// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Settings
import Testing

struct AzureConnectionTests {
    private func connection(_ scene: Scene, _ metadata: MetadataChoice = .instance(clientID: nil)) -> AzureConnection {
        AzureConnection(
            scene.environment,
            endpoints: scene.endpoints,
            metadata: metadata,
            order: [.pas, .arm],
            store: MachineStore(load: { nil }, save: { _ in })
        )
    }

    @Test("what is put together answers, and its status tells how, without a token in it")
    func status() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, .answer(405))
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "Allowed"))
        let azure = connection(scene)
        #expect(azure.status.machine.machine == nil)
        #expect(azure.status.checkers.map(\.standing) == [.untried, .untried])
        _ = try await azure.machines.machine(by: scene.clock.bootTime().advanced(by: .seconds(5)))
        #expect(try await azure.checker.check(scene.question()).role == .administrator)
        let status = azure.status
        #expect(status.machine.machine == (try scene.machine()))
        #expect(status.tokens.count == 2)
        #expect(status.checkers.map(\.name) == ["pas", "arm"])
        #expect(status.checkers[1].standing == .serving)
        var dumped = ""
        dump(status, to: &dumped)
        #expect(!dumped.contains(Scene.tokenText()))
    }

    @Test("an Arc server is asked at its own service")
    func hybrid() async throws {
        let scene = Scene()
        let azure = connection(scene, .hybrid(keyOwners: [0]) { _ in [0] })
        #expect(azure.metadata.name == "himds")
        #expect(azure.keySources(.jwks).map(\.name) == ["jwks", "jwks-common"])
        #expect(azure.keySources(.imds).map(\.name) == ["imds"])
        #expect(azure.keySources(.file).isEmpty)
    }
}
