// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureMessages
import AzureServices
import Glibc
import HTTPTransport
import Identity
import LinuxSystem
import Synchronization
import TestSupport
import Testing

/// One violation of each check in azure.md, "Azure Arc".
struct HybridMetadataClientTests {
    private static let himds = "http://127.0.0.1:40342/metadata"
    private static let token = "\(himds)/identity/oauth2/token"
    private static let resource =
        "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/web/providers/Microsoft.HybridCompute/machines/m"

    private let fixture = Fixture()
    private let temporary: TemporaryFolder
    private var folder: String { temporary.path }
    private let client: HybridMetadataClient

    init() throws {
        temporary = TemporaryFolder()
        client = HybridMetadataClient(
            fixture.environment,
            endpoints: fixture.endpoints,
            keyOwners: [geteuid()],
            keyFolder: temporary.path,
            listeners: { _ in [geteuid()] }
        )
        try writeKey("a.key", "secret")
        fixture.transport.script(Self.token, challenge("/var/opt/azcmagent/tokens/a.key"), Fixture.tokenAnswer())
    }

    private func writeKey(_ name: String, _ content: String, mode: UInt32 = 0o640) throws {
        try AtomicFile("\(folder)/\(name)").replace(with: Array(content.utf8), mode: mode)
    }

    private func challenge(_ path: String) -> ScriptedTransport.Answer {
        .answer(401, "", HTTPHeader("Www-Authenticate", "Basic realm=\(path)"))
    }

    private var deadline: BootTime { fixture.clock.bootTime().advanced(by: .seconds(10)) }

    private func failure() async -> DenialReason? {
        do throws(AccessCheckFault) {
            _ = try await client.token(for: "https://management.azure.com/", by: deadline)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("the key of the challenge is sent back, and a token comes")
    func token() async throws {
        try writeKey("a.key", "secret\n")
        let token = try await client.token(for: "https://management.azure.com/", by: deadline)
        #expect(token.token.reveal() == Fixture.tokenText())
        let asked = fixture.transport.requests
        #expect(asked.count == 2)
        let path = "\(Self.token)?api-version=2020-06-01&resource=https%3A%2F%2Fmanagement.azure.com%2F"
        #expect(
            asked.allSatisfy { $0.url == path && $0.proxy == .none && $0.headers == [HTTPHeader("Metadata", "true")] }
        )
        #expect(asked.map(\.authorization) == [nil, Secret("Basic secret")])
    }

    @Test(
        "another folder, suffix or header form is refused, and no key is sent",
        arguments: [
            "/etc/a.key", "/var/opt/azcmagent/tokens/../tokens/a.key", "/var/opt/azcmagent/tokens/a.pem",
            "/var/opt/azcmagent/tokens/x/a.key", "\"/var/opt/azcmagent/tokens/a.key\"",
        ]
    )
    func challengeForm(path: String) async {
        fixture.transport.script(Self.token, challenge(path), Fixture.tokenAnswer())
        #expect(await failure() == .malformedAnswer)
        #expect(fixture.transport.requests.count == 1)
    }

    @Test("a link, another owner, a loose mode, too many bytes, no file: refused, and no key is sent")
    func keyFile() async throws {
        let file = "\(folder)/a.key"
        // A link.
        try writeKey("b.key", "secret")
        unlink(file)
        try #require(symlink("\(folder)/b.key", file) == 0)
        #expect(await failure() == .metadataClosed)
        // Writable by others, and too long.
        unlink(file)
        fixture.transport.script(Self.token, challenge("/var/opt/azcmagent/tokens/a.key"), Fixture.tokenAnswer())
        try writeKey("a.key", "secret", mode: 0o666)
        #expect(await failure() == .metadataClosed)
        fixture.transport.script(Self.token, challenge("/var/opt/azcmagent/tokens/a.key"), Fixture.tokenAnswer())
        try writeKey("a.key", String(repeating: "a", count: 4097))
        #expect(await failure() == .metadataClosed)
        // Absent.
        fixture.transport.script(Self.token, challenge("/var/opt/azcmagent/tokens/a.key"), Fixture.tokenAnswer())
        unlink(file)
        #expect(await failure() == .metadataClosed)
        // Owned by a user who is neither root nor himds.
        fixture.transport.script(Self.token, challenge("/var/opt/azcmagent/tokens/b.key"), Fixture.tokenAnswer())
        let strict = HybridMetadataClient(
            fixture.environment,
            endpoints: fixture.endpoints,
            keyOwners: [geteuid() + 1],
            keyFolder: folder,
            listeners: { _ in [geteuid() + 1] }
        )
        let by = deadline
        await #expect(throws: AccessCheckFault.self) { try await strict.token(for: "a", by: by) }
        #expect(fixture.transport.requests.allSatisfy { $0.authorization == nil })
    }

    @Test("P1: another program that listens on the agent's port is not believed, and gets no key")
    func stranger() async {
        func reason(_ owners: [Set<UInt32>]) async -> DenialReason? {
            fixture.transport.script(Self.token, challenge("/var/opt/azcmagent/tokens/a.key"), Fixture.tokenAnswer())
            let looks = Mutex(owners)
            let client = HybridMetadataClient(
                fixture.environment,
                endpoints: fixture.endpoints,
                keyOwners: [geteuid()],
                keyFolder: folder,
                listeners: { port in
                    #expect(port == 40342)
                    return looks.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
                }
            )
            let by = deadline
            do throws(AccessCheckFault) {
                _ = try await client.token(for: "https://management.azure.com/", by: by)
                return nil
            } catch {
                return error.reason
            }
        }
        let (agent, stranger) = (Set([geteuid()]), Set([geteuid() + 1]))
        #expect(await reason([agent]) == nil)
        let asked = fixture.transport.requests.count
        #expect(await reason([stranger]) == .metadataClosed)
        #expect(await reason([agent.union(stranger)]) == .metadataClosed)
        #expect(fixture.transport.requests.count == asked)
        // A listener appears or disappears while the request is in flight: before the key is sent, and after it.
        #expect(await reason([agent, stranger]) == .metadataClosed)
        #expect(await reason([[], []]) == .metadataClosed)
        #expect(await reason([agent, agent, []]) == .metadataClosed)
        #expect(fixture.transport.requests.count { $0.authorization != nil } == 1)
        #expect(await reason([agent, agent, agent, stranger]) == .metadataClosed)
    }

    @Test("a key with a line end inside is refused")
    func keyContent() async throws {
        try writeKey("a.key", "secret\r\nX-Other: y")
        #expect(await failure() == .malformedAnswer)
        #expect(fixture.transport.requests.count == 1)
    }

    @Test("a key is used once: a second challenge is the answer")
    func secondUse() async {
        fixture.transport.script(Self.token, challenge("/var/opt/azcmagent/tokens/a.key"))
        #expect(await failure() == .metadataClosed)
        #expect(fixture.transport.requests.count == 2)
    }

    @Test("a token without a challenge is not the agent's")
    func noChallenge() async {
        fixture.transport.script(Self.token, Fixture.tokenAnswer())
        #expect(await failure() == .malformedAnswer)
    }

    @Test("a service that is not up yet is waited for")
    func lateStart() async throws {
        fixture.transport.script(
            "\(Self.himds)/instance",
            .error(.unreachable),
            .error(.unreachable),
            .answer(200, "{\"compute\":\(Fixture.instance(Self.resource))}")
        )
        #expect(try await client.instance(by: deadline).kind == .arcServer)
    }

    @Test("the tenant of an Arc server is the one of its own token")
    func tenant() async throws {
        fixture.transport.script(
            "\(Self.himds)/instance",
            .answer(200, "{\"compute\":\(Fixture.instance(Self.resource))}")
        )
        let discovery = MachineDiscovery(
            fixture.environment,
            service: client,
            identity: ManagedIdentity(fixture.environment, service: client),
            endpoints: fixture.endpoints,
            store: MachineStore(load: { nil }, save: { _ in })
        )
        let machine = try await discovery.machine(by: deadline)
        #expect(machine.tenant == TenantID(Fixture.tenant))
        #expect(machine.kind == .arcServer)
    }

    @Test(
        "the agent's address counts where it is a port of this machine, and nowhere else",
        arguments: [
            ("http://localhost:40342", "http://127.0.0.1:40342"), ("http://127.0.0.1:7/", "http://127.0.0.1:7"),
            ("https://localhost:40342", nil), ("http://localhost", nil), ("http://localhost:0", nil),
            ("http://localhost.example:80", nil), ("http://localhost:80@example.org", nil), ("http://10.0.0.1:80", nil),
            (nil, nil),
        ] as [(String?, String?)]
    )
    func namedAddress(variable: String?, address: String?) {
        #expect(HybridMetadataClient.address(named: variable) == address)
    }
}
