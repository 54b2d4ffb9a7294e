// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Testing

/// A refusal is confirmed by role assignments, which expand groups (azure.md, "The role check").
struct ConfirmationTests {
    private func fixture(_ user: String, _ administrator: String, _ order: [String] = ["pas", "arm"]) -> Fixture {
        let fixture = Fixture(order, confirming: true)
        fixture.transport.script(Fixture.pas, Fixture.decisions(user, administrator))
        fixture.transport.script("\(Fixture.assignments)/checkaccess", Fixture.decisions(user, administrator))
        return fixture
    }

    @Test(
        "P2: what checkAccess does not allow counts as role assignments say; a yes of either counts",
        arguments: [
            ("NotAllowed", "NotAllowed", nil, nil), ("NotAllowed", "NotAllowed", .user, .user),
            ("NotAllowed", "NotAllowed", .administrator, .administrator), ("Allowed", "NotAllowed", nil, .user),
            ("Allowed", "NotAllowed", .user, .user), ("Allowed", "NotAllowed", .administrator, .administrator),
            ("NotAllowed", "Allowed", nil, nil), ("NotAllowed", "Allowed", .user, .user),
        ] as [(String, String, Role?, Role?)]
    )
    func combined(user: String, administrator: String, held: Role?, role: Role?) async throws {
        for order in [["pas", "arm"], ["arm"]] {
            let fixture = fixture(user, administrator, order)
            fixture.assign(held)
            let first = try await fixture.checker.check(fixture.question())
            #expect(first.confirmation == .required(upTo: .administrator))
            let answer = try await fixture.confirmed()
            #expect(answer.role == role)
            let isMore = held.map { held in first.role.map { $0 < held } ?? true } ?? false
            #expect(answer.confirmation == (isMore ? .overruled : .agreed))
            #expect(answer.checker == order[0])
        }
    }

    @Test("an administrator's yes asks for no confirmation")
    func notNeeded() async throws {
        let fixture = fixture("Allowed", "Allowed")
        let expected = AccessAnswer(role: .administrator, lifetime: .seconds(300), checker: "pas")
        #expect(try await fixture.confirmed() == expected)
        #expect(fixture.transport.requests(to: Fixture.arm).isEmpty)
    }

    @Test("P2: a stated reason is final at once: a deny assignment, or a word that is not NotAllowed")
    func stated() async throws {
        for answer in [
            Fixture.decisions("NotAllowed", "NotAllowed", denied: "login"), Fixture.decisions("Denied", "NotAllowed"),
        ] {
            let fixture = fixture("", "")
            fixture.assign(.administrator)
            fixture.transport.script(Fixture.pas, answer)
            let combined = try await fixture.confirmed()
            #expect(combined.role == nil && combined.confirmation == .notNeeded)
            #expect(fixture.transport.requests(to: Fixture.arm).isEmpty)
        }
        // A deny of the administrator's action leaves the role of a user.
        let partly = fixture("", "")
        partly.assign(.administrator)
        partly.transport.script(Fixture.pas, Fixture.decisions("NotAllowed", "NotAllowed", denied: "loginAsAdmin"))
        #expect(try await partly.confirmed().role == .user)
        let user = fixture("", "")
        user.assign(.administrator)
        user.transport.script(Fixture.pas, Fixture.decisions("Allowed", "NotAllowed", denied: "loginAsAdmin"))
        #expect(try await user.confirmed().role == .user)
        #expect(user.transport.requests(to: Fixture.arm).isEmpty)
    }

    @Test(
        "P2: where role assignments may not be read, or no way leads there, the no is final and says what is missing",
        arguments: [.answer(403), .answer(401), .error(.unreachable), .error(.nameResolution)]
            as [ScriptedTransport.Answer]
    )
    func notPermitted(obstacle: ScriptedTransport.Answer) async throws {
        let fixture = fixture("NotAllowed", "NotAllowed")
        fixture.transport.script("\(Fixture.assignments)/roleAssignments", obstacle)
        let answer = try await fixture.confirmed()
        #expect(answer.role == nil && answer.confirmation.isFinal)
        let fault = try #require(answer.confirmation.obstacle)
        if case .success = obstacle {
            #expect(fault.reason == .identityMayNotAsk)
            #expect(fault.detail.contains("--role Reader --scope \(Fixture.resource)"))
        }
        #expect(fixture.checker.confirmationStatus.notPermitted == 1)
        // The administrator assigns the role: it counts from the next question.
        if case .success = obstacle {
            fixture.assign(.administrator)
            #expect(try await fixture.confirmed().role == .administrator)
            #expect(fixture.checker.confirmationStatus.fault == nil)
        }
    }

    @Test(
        "P2: a confirmation that fails is no answer: what was denied stays undecided",
        arguments: [
            .error(.timeout), .error(.tls), .error(.dropped), .error(.cut), .answer(429), .answer(500), .answer(503),
            .answer(200, "{"), .answer(200, "[]"), .answer(404), .answer(302),
            .answer(429, "", HTTPHeader("Retry-After", "120")),
        ] as [ScriptedTransport.Answer]
    )
    func unanswered(failure: ScriptedTransport.Answer) async throws {
        for (user, role) in [("NotAllowed", nil), ("Allowed", Role.user)] {
            let fixture = fixture(user, "NotAllowed")
            fixture.transport.script("\(Fixture.assignments)/roleAssignments", failure)
            let answer = try await fixture.confirmed()
            #expect(answer.role == role && !answer.confirmation.isFinal)
            guard case .unanswered(let fault) = answer.confirmation else {
                Issue.record("\(answer.confirmation)")
                continue
            }
            #expect(fault.reason == .roleUnconfirmed)
            #expect(fixture.clock.elapsed <= .seconds(10))
        }
    }

    @Test("where Resource Manager has served since the start, losing the way to it is an outage")
    func lostRoute() async throws {
        let fixture = fixture("NotAllowed", "NotAllowed")
        fixture.assign(.administrator)
        #expect(try await fixture.confirmed().role == .administrator)
        fixture.checker.forget()
        fixture.transport.script("\(Fixture.assignments)/roleAssignments", .error(.unreachable))
        #expect(try await fixture.confirmed().confirmation.isFinal == false)
    }

    @Test("a confirmation that Retry-After has silenced is not asked again meanwhile")
    func silenced() async throws {
        let fixture = fixture("NotAllowed", "NotAllowed")
        let list = "\(Fixture.assignments)/roleAssignments"
        fixture.transport.script(list, .answer(429, "", HTTPHeader("Retry-After", "60")))
        for _ in 0..<3 { #expect(try await fixture.confirmed().confirmation.isFinal == false) }
        #expect(fixture.transport.requests(to: list).count == 1)
        fixture.clock.advance(.seconds(80))
        fixture.assign(.user)
        #expect(try await fixture.confirmed().role == .user)
    }

    @Test("the counts say how often role assignments said otherwise")
    func counts() async throws {
        let fixture = fixture("NotAllowed", "NotAllowed")
        fixture.assign(.administrator)
        for _ in 0..<2 { _ = try await fixture.confirmed() }
        fixture.assign(nil)
        _ = try await fixture.confirmed()
        let status = fixture.checker.confirmationStatus
        #expect(status.isOn && status.overruled == 2 && status.agreed == 1)
        #expect(status.lastOverruled == (try fixture.question().objectID))
    }
}
