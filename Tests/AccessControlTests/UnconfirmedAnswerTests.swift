// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

/// Decisions while role assignments have not confirmed a refusal, and after that (P2).
@Suite(.timeLimit(.minutes(15))) struct UnconfirmedAnswerTests {
    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
    }

    private func decide(
        _ age: Int = 300,
        role: Role = .user,
        atOnce: Bool = true
    ) async -> Ruling {
        let demand = DecisionDemand(
            maximumAge: .seconds(age),
            deadline: fixture.time.bootTime().advanced(by: .seconds(8)),
            role: role,
            takesUserAtOnce: atOnce
        )
        let id = CountingRandom().correlationID()
        return await fixture.access.authorizer.decide(alice.identity, under: demand, correlation: id).requiring(role)
    }

    private var objectID: ObjectID { alice.identity.objectID }

    private var confirmationsAsked: Int { fixture.checker.confirmations.value.count }

    private let throttled = AccessCheckFault(.roleUnconfirmed, detail: "pas says no; throttled")

    private func overruled(_ role: Role) -> ScriptedChecker.Line {
        .answer(AccessAnswer(role: role, lifetime: nil, checker: "pas", confirmation: .overruled))
    }

    @Test("A role held through a group: the refusal is overruled, and the answer counts as any other")
    func overruled() async {
        fixture.checker.script(objectID, unconfirmed: nil)
        fixture.checker.scriptConfirmation(objectID, overruled(.administrator))
        #expect(await decide().decision == .allow(.administrator, .azure))
        #expect(await decide(60, role: .administrator).decision == .allow(.administrator, .cache))
        #expect(confirmationsAsked == 1)
    }

    @Test("P2: a confirmed no is final and kept for its minute: nobody asks again")
    func agreed() async {
        fixture.checker.script(objectID, unconfirmed: nil)
        for _ in 0..<3 { #expect(await decide().decision == .deny(Denial(.roleNotAssigned))) }
        #expect(confirmationsAsked == 1)
        #expect(fixture.log.of(.accessCheck).first?.detail == "pas; confirmed by role assignments")
    }

    @Test("P16: a no of before keeps nobody out at the session whom Azure allows now, while that is being confirmed")
    func earlierNo() async {
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.checker.script(objectID, role: nil)
        #expect(await fixture.signIn(alice).reason == .roleNotAssigned)
        fixture.time.advance(by: .seconds(61))
        fixture.checker.script(objectID, unconfirmed: .user)
        fixture.checker.scriptConfirmation(objectID, .held)
        #expect(await fixture.signIn(alice) == .allow)
    }

    @Test("P2: a no that cannot be confirmed is final; screen and record say what is missing")
    func notPermitted() async throws {
        fixture.checker.script(objectID, role: .administrator)
        _ = await decide()
        let fault = AccessCheckFault(
            .identityMayNotAsk,
            detail: "status 403",
            remedy: .giveReader(to: nil, at: fixture.machine.resource)
        )
        fixture.checker.script(objectID, unconfirmed: nil)
        fixture.checker.scriptConfirmation(
            objectID,
            .answer(AccessAnswer(role: nil, lifetime: nil, checker: "pas", confirmation: .notPermitted(fault)))
        )
        fixture.time.advance(by: .seconds(301))
        guard case .deny(let denial) = await decide().decision else {
            Issue.record("allowed")
            return
        }
        #expect(denial.reason == .roleNotAssigned)
        #expect(denial.text.hasPrefix("Azure role not assigned") && denial.text.contains("Reader"))
        #expect(denial.detail.contains("unconfirmed") && denial.detail.contains("az role assignment create"))
        #expect(fixture.log.of(.accessCheck).last?.detail?.contains("unconfirmed: status 403") == true)
    }

    @Test("P2: a confirmation without an answer refuses a new user, and an earlier yes goes on within its grace")
    func unanswered() async {
        fixture.checker.script(objectID, unconfirmed: nil)
        fixture.checker.scriptConfirmation(objectID, .fault(throttled))
        #expect(await decide().reason == .roleUnconfirmed)
        fixture.time.advance(by: .seconds(10))
        fixture.checker.script(objectID, role: .administrator)
        _ = await decide()
        fixture.checker.script(objectID, unconfirmed: nil)
        fixture.time.advance(by: .seconds(301))
        for role in [Role.user, .administrator] {
            let ruling = await decide(60, role: role)
            #expect(ruling.decision == .allow(.administrator, .grace))
            #expect(!ruling.confirmation.isFinal)
        }
        // The grace is over.
        fixture.time.advance(by: .seconds(3601))
        #expect(await decide().reason == .roleUnconfirmed)
    }

    @Test("P2: a yes that was heard before the machine was suspended is not fresh after it; Azure is asked again")
    func suspended() async throws {
        fixture.checker.script(objectID, unconfirmed: .user)
        fixture.checker.scriptConfirmation(objectID, .held)
        #expect(await decide().decision == .allow(.user, .azure))
        await fixture.checker.confirmations.wait { $0.count == 1 }
        fixture.time.advance(by: .seconds(400))
        fixture.checker.release(try #require(fixture.checker.confirmations.value.first), .fault(throttled))
        await fixture.log.records.wait { records in records.contains { $0.event == .accessCheck } }
        fixture.checker.script(objectID, role: nil)
        #expect(await decide().decision == .deny(Denial(.roleNotAssigned)))
    }

    @Test("P2: a grant ends by a confirmed answer, and not before")
    func grants() async throws {
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(objectID, role: .administrator)
        _ = await decide()
        try fixture.grants.grant(uid: alice.uid, until: fixture.time.bootTime().advanced(by: .seconds(7200)))
        fixture.time.advance(by: .seconds(301))
        fixture.checker.script(objectID, unconfirmed: .user)
        fixture.checker.scriptConfirmation(objectID, .fault(throttled))
        #expect(await decide(60, role: .administrator).allow == .grace)
        #expect(fixture.grants.current()[alice.uid] != nil)
        fixture.time.advance(by: .seconds(10))
        fixture.checker.scriptConfirmation(
            objectID,
            .answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas", confirmation: .agreed))
        )
        #expect(await decide(60, role: .administrator).reason == .administratorRoleNeeded)
        #expect(fixture.grants.current()[alice.uid] == nil)
    }

    @Test("A user goes on at once while the confirmation is under way; who needs an administrator waits for it")
    func userAtOnce() async throws {
        fixture.checker.script(objectID, unconfirmed: .user)
        fixture.checker.scriptConfirmation(objectID, .held)
        #expect(await decide().decision == .allow(.user, .azure))
        #expect(await fixture.access.authorizer.cached(alice.identity) == nil)
        async let waiting = decide(60, role: .administrator)
        await fixture.time.sleeping.wait { !$0.isEmpty }
        let question = try #require(fixture.checker.confirmations.value.first)
        fixture.checker.release(question, overruled(.administrator))
        #expect(await waiting.decision == .allow(.administrator, .azure))
        #expect(confirmationsAsked == 1)
    }

    @Test("Somebody who was administrator lately waits for the confirmation: user is no answer about that role")
    func administratorWaits() async throws {
        fixture.checker.script(objectID, role: .administrator)
        _ = await decide()
        fixture.time.advance(by: .seconds(301))
        fixture.checker.script(objectID, unconfirmed: .user)
        fixture.checker.scriptConfirmation(objectID, overruled(.administrator))
        #expect(await decide().decision == .allow(.administrator, .azure))
    }

    @Test("Somebody who was administrator, beyond the grace, is let in as a user where the confirmation does not come")
    func administratorBeyondGrace() async throws {
        fixture.checker.script(objectID, role: .administrator)
        _ = await decide()
        fixture.time.advance(by: .seconds(2 * 3600))
        fixture.checker.script(objectID, unconfirmed: .user)
        fixture.checker.scriptConfirmation(objectID, .held)
        async let ruling = decide()
        await fixture.checker.confirmations.wait { $0.count == 1 }
        await fixture.time.sleeping.wait { !$0.isEmpty }
        fixture.time.advance(by: .seconds(8))
        #expect(await ruling.decision == .allow(.user, .azure))
    }

    @Test("A user whose confirmation has no answer stays a user for a minute, and is no refused administrator")
    func userWithoutConfirmation() async {
        fixture.checker.script(objectID, unconfirmed: .user)
        fixture.checker.scriptConfirmation(objectID, .fault(throttled))
        #expect(await decide(atOnce: false).decision == .allow(.user, .azure))
        #expect(await decide().decision == .allow(.user, .cache))
        #expect(await decide(60, role: .administrator).reason == .roleUnconfirmed)
        fixture.time.advance(by: .seconds(61))
        fixture.checker.scriptConfirmation(objectID, overruled(.administrator))
        #expect(await decide(atOnce: false).decision == .allow(.administrator, .azure))
    }
}
