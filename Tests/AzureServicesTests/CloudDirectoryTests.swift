// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Testing

struct CloudDirectoryTests {
    private static let configuration = "/v2.0/.well-known/openid-configuration"

    private func learn(_ fixture: Fixture, _ roleService: String) async throws -> String? {
        let machine = try fixture.machine()
        fixture.transport.script(
            "https://login.microsoftonline.com/\(Fixture.tenant)\(Self.configuration)",
            .answer(200, "{\"issuer\":\"x\",\"rbac_url\":\"\(roleService)\"}")
        )
        try await fixture.clouds.learn(about: machine, by: fixture.clock.bootTime().advanced(by: .seconds(5)))
        return fixture.clouds.remark
    }

    @Test("a disagreement of table and OpenID configuration is remarked upon, and the table counts")
    func crossCheck() async throws {
        let fixture = Fixture()
        #expect(try await learn(fixture, "https://pas.windows.net/") == nil)
        let remark = try #require(try await learn(fixture, "https://other.example"))
        #expect(remark.contains("https://other.example"))
        #expect(fixture.clouds.known(of: try fixture.machine())?.roleService == "https://pas.windows.net")
    }

    @Test("a tenant of another cloud than the machine's is remarked upon")
    func otherCloud() async throws {
        let fixture = Fixture()
        fixture.transport.script(
            "https://login.microsoftonline.com/\(Fixture.tenant)\(Self.configuration)",
            .answer(200, "{\"issuer\":\"x\",\"cloud_instance_name\":\"microsoftonline.us\"}")
        )
        try await fixture.clouds.learn(
            about: try fixture.machine(),
            by: fixture.clock.bootTime().advanced(by: .seconds(5))
        )
        #expect(fixture.clouds.remark?.contains("microsoftonline.us") == true)
    }

    /// A cloud that is in no table; `document` is its tenant's configuration.
    private func moon(_ document: String, endpoints: AzureEndpoints = AzureEndpoints()) throws -> (Fixture, Machine) {
        let fixture = Fixture(endpoints: endpoints)
        let login = endpoints.login ?? "https://login.microsoftonline.com"
        fixture.transport.script("\(login)/\(Fixture.tenant)\(Self.configuration)", .answer(200, document))
        return (fixture, try fixture.machine(cloud: "AzureMoonCloud"))
    }

    private static let moonDocument = """
        {"issuer":"x","jwks_uri":"https://login.moon.example/common/discovery/v2.0/keys","rbac_url":"https://pas.moon.example"}
        """

    @Test("an unknown cloud is served from its tenant's OpenID configuration, keys and all")
    func unknown() async throws {
        let (fixture, machine) = try moon(Self.moonDocument)
        let deadline = fixture.clock.bootTime().advanced(by: .seconds(5))
        #expect(fixture.clouds.known(of: machine) == nil)
        #expect(try await fixture.clouds.login(of: machine, by: deadline) == "https://login.moon.example")
        #expect(try await fixture.clouds.roleService(of: machine, by: deadline) == "https://pas.moon.example")
        #expect(fixture.transport.requests.count == 1)
        #expect(fixture.clouds.remark == nil)
    }

    @Test("of an unknown cloud no key of another cloud is trusted, whatever its configuration leaves out")
    func unknownWithoutHosts() async throws {
        for document in [
            "{\"issuer\":\"x\"}", "{\"issuer\":\"x\",\"jwks_uri\":\"https://login.moon.example:8443/keys\"}",
        ] {
            let (fixture, machine) = try moon(document)
            let deadline = fixture.clock.bootTime().advanced(by: .seconds(5))
            await #expect(throws: AccessCheckFault.self) { try await fixture.clouds.login(of: machine, by: deadline) }
            await #expect(throws: AccessCheckFault.self) {
                try await fixture.clouds.roleService(of: machine, by: deadline)
            }
        }
    }

    @Test("of an unknown cloud, what the administrator says counts before its configuration")
    func unknownButSet() async throws {
        let endpoints = AzureEndpoints(login: "https://login.set.example")
        let (fixture, machine) = try moon(Self.moonDocument, endpoints: endpoints)
        let deadline = fixture.clock.bootTime().advanced(by: .seconds(5))
        #expect(try await fixture.clouds.login(of: machine, by: deadline) == "https://login.set.example")
        #expect(fixture.transport.requests.isEmpty)
        #expect(try await fixture.clouds.roleService(of: machine, by: deadline) == "https://pas.moon.example")
    }

    @Test(
        "the three clouds are known in any letter case",
        arguments: [
            ("AzurePublicCloud", "https://management.azure.com"),
            ("AZUREUSGOVERNMENTCLOUD", "https://management.usgovcloudapi.net"),
            ("azurechinacloud", "https://management.chinacloudapi.cn"),
        ]
    )
    func table(name: String, resourceManager: String) {
        #expect(Cloud.named(name)?.resourceManager == resourceManager)
        #expect(Cloud.named("AzureMoonCloud") == nil)
    }

    @Test("every host can be set")
    func overrides() throws {
        let endpoints = AzureEndpoints(login: "https://a", roleService: "https://b", resourceManager: "https://c")
        let expected = Cloud(login: "https://a", roleService: "https://b", resourceManager: "https://c")
        #expect(endpoints.cloud(named: "AzureMoonCloud") == expected)
        // Another address of a known Resource Manager does not change the token's audience.
        let known = try #require(endpoints.cloud(named: "AzurePublicCloud"))
        #expect(known.resourceManager == "https://c")
        #expect(known.resourceManagerAudience == "https://management.azure.com/")
        #expect(AzureEndpoints().cloud(named: "AzureMoonCloud") == nil)
    }
}
