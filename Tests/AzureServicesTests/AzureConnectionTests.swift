// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Settings
import Testing

struct AzureConnectionTests {
    private func connection(_ fixture: Fixture, _ metadata: MetadataChoice = .instance(clientID: nil))
        -> AzureConnection
    {
        AzureConnection(
            fixture.environment,
            endpoints: fixture.endpoints,
            metadata: metadata,
            order: [.pas, .arm],
            store: MachineStore(load: { nil }, save: { _ in })
        )
    }

    @Test("what is put together answers, and its status tells how, without a token in it")
    func status() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, .answer(405))
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "Allowed"))
        let azure = connection(fixture)
        #expect(azure.status.machine.machine == nil)
        #expect(azure.status.checkers.map(\.standing) == [.untried, .untried])
        _ = try await azure.machines.machine(by: fixture.clock.bootTime().advanced(by: .seconds(5)))
        #expect(try await azure.checker.check(fixture.question()).role == .administrator)
        let status = azure.status
        #expect(status.machine.machine == (try fixture.machine()))
        #expect(status.tokens.count == 2)
        #expect(status.checkers.map(\.name) == ["pas", "arm"])
        #expect(status.checkers[1].standing == .serving)
        var dumped = ""
        dump(status, to: &dumped)
        #expect(!dumped.contains(Fixture.tokenText()))
    }

    @Test("an Arc server is asked at its own service")
    func hybrid() async throws {
        let fixture = Fixture()
        let azure = connection(fixture, .hybrid(keyOwners: [0]) { _ in [0] })
        #expect(azure.metadata.name == "himds")
        #expect(azure.keySources(.jwks).map(\.name) == ["jwks", "jwks-common"])
        #expect(azure.keySources(.imds).map(\.name) == ["imds"])
        #expect(azure.keySources(.file).isEmpty)
    }
}
