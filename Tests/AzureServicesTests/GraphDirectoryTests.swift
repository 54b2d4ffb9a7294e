// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Testing

struct GraphDirectoryTests {
    private static let id = "55555555-5555-4555-8555-555555555555"
    private static let users = "https://graph.microsoft.com/v1.0/users/"
    private static let principals = "https://graph.microsoft.com/v1.0/servicePrincipals/"
    private static let absent = Fixture.refusal(404, "Request_ResourceNotFound")
    private static let refused = Fixture.refusal(403, "Authorization_RequestDenied")

    private let fixture = Fixture()
    private let directory: GraphDirectory

    init() {
        directory = Self.directory(fixture)
    }

    private static func directory(_ fixture: Fixture, isKnownUser: Bool = false) -> GraphDirectory {
        GraphDirectory(fixture.environment, identity: fixture.identity, clouds: fixture.clouds) { _ in isKnownUser }
    }

    private func account(_ isEnabled: Bool, id: String = id) -> ScriptedTransport.Answer {
        .answer(200, "{\"id\":\"\(id)\",\"accountEnabled\":\(isEnabled)}")
    }

    private func state(seconds: Int = 10) async throws -> AccountState {
        try await directory.state(fixture.question(seconds: seconds))
    }

    private func fault(seconds: Int = 10) async throws -> AccessCheckFault {
        let question = try fixture.question(seconds: seconds)
        do throws(AccessCheckFault) {
            let state = try await directory.state(question)
            Issue.record("there was an answer: \(state)")
            throw AccessCheckFault(.unsupported, detail: "")
        } catch { return error }
    }

    @Test("Graph is asked about the object id alone, with a token for its own audience")
    func request() async throws {
        fixture.transport.script(Self.users, account(true), account(false))
        #expect(try await state() == .enabled)
        #expect(try await state() == .disabled)
        let request = try #require(fixture.transport.requests(to: Self.users).first)
        #expect(request.url == "\(Self.users)\(Self.id)?$select=id,accountEnabled")
        #expect(request.method == .get && request.authorization?.reveal() == "Bearer \(Fixture.tokenText())")
        #expect(
            request.headers.contains(HTTPHeader("x-ms-correlation-request-id", "66666666-6666-4666-8666-666666666666"))
        )
        #expect(request.maximumBody == 1 << 14)
        let token = try #require(fixture.transport.requests(to: Fixture.token).first)
        #expect(token.url.hasSuffix("resource=https%3A%2F%2Fgraph.microsoft.com"))
        #expect(fixture.transport.requests(to: Self.principals).isEmpty)
        #expect(directory.status.standing == .serving)
    }

    @Test("what is no user may be a service principal; what is neither is absent")
    func absent() async throws {
        fixture.transport.script(Self.users, Self.absent)
        for (answer, expected) in [
            (account(true), AccountState.enabled), (account(false), .disabled), (Self.absent, .absent),
        ] {
            fixture.transport.script(Self.principals, answer)
            #expect(try await state() == expected)
        }
        fixture.transport.script(Self.principals, .answer(500))
        #expect(try await fault().reason == .unreachable)
    }

    @Test(
        "P2: where the identity may not read service principals, a user of before is absent, and of nobody else is that a no"
    )
    func principalsRefused() async throws {
        fixture.transport.script(Self.users, Self.absent)
        fixture.transport.script(Self.principals, Self.refused)
        let fault = try await fault()
        #expect(fault.reason == .directoryRefused)
        let command = try #require(fault.remedy?.text)
        #expect(command.contains("Application.Read.All") && command.contains("9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"))
        let known = Self.directory(fixture, isKnownUser: true)
        #expect(try await known.state(fixture.question()) == .absent)
    }

    @Test("P1: a missing permission is a reason of its own, with the command, and no outage")
    func refused() async throws {
        fixture.transport.script(Self.users, Self.refused)
        let fault = try await fault()
        #expect(fault.reason == .directoryRefused && !OfflinePolicy.isOutage(fault.reason))
        let permission = try #require(ObjectID(Fixture.identity))
        #expect(fault.remedy == .giveGraph(.readUsers, to: permission, host: "https://graph.microsoft.com"))
        let command = AdministratorRemedy(machine: nil).text(for: fault)
        #expect(
            command.contains("/servicePrincipals/\(Fixture.identity)/appRoleAssignments")
                && command.contains("User.Read.All")
        )
        guard case .notServing = directory.status.standing else {
            Issue.record("\(directory.status.standing)")
            return
        }
        // Once the administrator gives the permission, it counts with the next token, which is requested at once.
        fixture.transport.script(Self.users, account(true))
        fixture.transport.script(Fixture.token, Fixture.tokenAnswer("2"))
        #expect(try await state() == .enabled)
        #expect(
            fixture.transport.requests(to: Self.users).last?.authorization?.reveal()
                == "Bearer \(Fixture.tokenText("2"))"
        )
    }

    @Test(
        "P2: what is no word of Graph's on this account is never a no, nor a yes",
        arguments: [
            (.answer(404, "<html>not found</html>"), DenialReason.malformedAnswer),
            (.answer(404), .malformedAnswer), (Fixture.refusal(404, "ResourceNotFound"), .malformedAnswer),
            (
                .answer(200, "{\"id\":\"55555555-5555-4555-8555-555555555556\",\"accountEnabled\":true}"),
                .malformedAnswer
            ),
            (.answer(200, "{\"id\":\"\(id)\"}"), .malformedAnswer), (.answer(302), .malformedAnswer),
            (.answer(204), .malformedAnswer), (.error(.tooLarge), .malformedAnswer), (.answer(401), .directoryRefused),
            (.answer(503), .unreachable), (.error(.nameResolution), .unreachable), (.error(.tls), .unreachable),
        ] as [(ScriptedTransport.Answer, DenialReason)]
    )
    func nonsense(_ answer: ScriptedTransport.Answer, _ reason: DenialReason) async throws {
        fixture.transport.script(Self.users, answer)
        fixture.transport.script(Self.principals, account(true))
        #expect(try await fault().reason == reason)
        #expect(fixture.transport.requests(to: Self.principals).isEmpty)
    }

    @Test("Graph that asks to wait is left alone until then; one that fails is asked again within the deadline")
    func throttled() async throws {
        fixture.transport.script(Self.users, .answer(500), account(true))
        #expect(try await state() == .enabled)
        fixture.transport.script(Self.users, .answer(429, "", HTTPHeader("Retry-After", "60")))
        #expect(try await fault().reason == .throttled)
        let asked = fixture.transport.requests(to: Self.users).count
        #expect(try await fault().reason == .throttled)
        #expect(fixture.transport.requests(to: Self.users).count == asked)
        fixture.transport.script(Self.users, account(true))
        fixture.clock.advance(.seconds(80))
        #expect(try await state() == .enabled)
    }

    @Test("a host that was not reached a moment ago is not waited for again, but by an administrator")
    func unreached() async throws {
        fixture.transport.script(Self.users, .error(.timeout))
        #expect(try await fault().reason == .unreachable)
        fixture.transport.script(Self.users, account(true))
        #expect(try await fault().reason == .unreachable)
        #expect(try await directory.state(fixture.question(), ignoringSilence: true) == .enabled)
        #expect(try await state() == .enabled)
    }

    @Test("another host is set, and the audience stays the cloud's; a cloud that nobody knows needs it")
    func elsewhere() async throws {
        for (cloud, endpoint, audience) in [
            ("AzurePublicCloud", "https://graph.contoso.com", "https%3A%2F%2Fgraph.microsoft.com"),
            ("AzureChinaCloud", nil, "https%3A%2F%2Fmicrosoftgraph.chinacloudapi.cn"),
            ("AzureUSGovernmentCloud", nil, "https%3A%2F%2Fgraph.microsoft.us"),
            ("Other", "https://graph.contoso.com", "https%3A%2F%2Fgraph.contoso.com"),
        ] {
            let fixture = Fixture(endpoints: AzureEndpoints(login: "https://login.contoso.com", graph: endpoint))
            let directory = Self.directory(fixture)
            let host = endpoint ?? audience.replacing("%3A%2F%2F", with: "://")
            fixture.transport.script("\(host)/v1.0/users/", account(true))
            #expect(try await directory.state(fixture.question(cloud: cloud)) == .enabled)
            #expect(fixture.transport.requests(to: Fixture.token).first?.url.hasSuffix("resource=\(audience)") == true)
        }
        let fixture = Fixture(endpoints: AzureEndpoints(login: "https://login.contoso.com"))
        let directory = Self.directory(fixture)
        let question = try fixture.question(cloud: "Other")
        await #expect(throws: AccessCheckFault.self) { try await directory.state(question) }
        #expect(fixture.transport.requests.isEmpty)
    }

    @Test(
        "P1: memberships are asked for in twenties, all or nothing, and a group that was not asked about is no answer"
    )
    func memberships() async throws {
        let groups = try (10..<55).map { try #require(ObjectID("9f0a0000-0000-4000-8000-0000000000\($0)")) }
        let path = "https://graph.microsoft.com/v1.0/directoryObjects/\(Self.id)/checkMemberGroups"
        func say(_ ids: [ObjectID]) -> ScriptedTransport.Answer {
            .answer(200, "{\"value\":[\(ids.map { "\"\($0)\"" }.joined(separator: ","))]}")
        }
        fixture.transport.script(path, say([groups[0]]), say([]), say([groups[44]]))
        #expect(try await directory.memberships(fixture.question(), of: groups) == [groups[0], groups[44]])
        let asked = fixture.transport.requests(to: path)
        #expect(asked.count == 3 && asked.allSatisfy { $0.method == .post })
        #expect(
            asked.map { String(decoding: $0.body, as: UTF8.self).split(separator: "9f0a").count - 1 } == [20, 20, 5]
        )
        for second in [say([groups[0]]), Self.refused, .answer(200, "{}"), Self.absent] {
            fixture.transport.script(path, say([groups[0]]), second)
            let question = try fixture.question()
            await #expect(throws: AccessCheckFault.self) { try await directory.memberships(question, of: groups) }
        }
        #expect(try await directory.memberships(fixture.question(), of: []).isEmpty)
    }

    @Test("where IMDS knows no application of Graph's audience, that is no missing sign-in application")
    func noApplication() async throws {
        fixture.transport.script(
            Fixture.token,
            .answer(400, "{\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: not found\"}")
        )
        #expect(try await fault().reason == .directoryRefused)
    }
}
