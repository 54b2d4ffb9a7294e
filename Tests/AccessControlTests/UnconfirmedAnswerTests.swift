// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

/// Decisions while role assignments have not confirmed a refusal, and after that (P2).
@Suite(.timeLimit(.minutes(15))) struct UnconfirmedAnswerTests {
    private let house: House
    private let alice: Person

    init() throws {
        house = try House()
        alice = try Person("alice@contoso.com", 1)
    }

    private func decide(
        _ age: Int = 300,
        role: Role = .user,
        atOnce: Bool = true
    ) async -> Ruling {
        let demand = DecisionDemand(
            maximumAge: .seconds(age),
            deadline: house.time.bootTime().advanced(by: .seconds(8)),
            role: role,
            takesUserAtOnce: atOnce
        )
        let id = CountingRandom().correlationID()
        return await house.access.authorizer.decide(alice.identity, under: demand, correlation: id).requiring(role)
    }

    private var objectID: ObjectID { alice.identity.objectID }

    private var confirmationsAsked: Int { house.checker.confirmations.value.count }

    private let throttled = AccessCheckFault(.roleUnconfirmed, detail: "pas says no; throttled")

    private func overruled(_ role: Role) -> ScriptedChecker.Line {
        .answer(AccessAnswer(role: role, lifetime: nil, checker: "pas", confirmation: .overruled))
    }

    @Test("A role held through a group: the refusal is overruled, and the answer counts as any other")
    func overruled() async {
        house.checker.script(objectID, unconfirmed: nil)
        house.checker.scriptConfirmation(objectID, overruled(.administrator))
        #expect(await decide().decision == .allow(.administrator, .azure))
        #expect(await decide(60, role: .administrator).decision == .allow(.administrator, .cache))
        #expect(confirmationsAsked == 1)
    }

    @Test("P2: a confirmed no is final and kept for its minute: nobody asks again")
    func agreed() async {
        house.checker.script(objectID, unconfirmed: nil)
        for _ in 0..<3 { #expect(await decide().decision == .deny(Denial(.roleNotAssigned))) }
        #expect(confirmationsAsked == 1)
        #expect(house.log.of(.accessCheck).first?.detail == "pas; confirmed by role assignments")
    }

    @Test("P16: a no of before keeps nobody out at the session whom Azure allows now, while that is being confirmed")
    func earlierNo() async {
        house.accounts.set(alice.name, .provisional(alice.account))
        house.checker.script(objectID, role: nil)
        #expect(await house.signIn(alice).reason == .roleNotAssigned)
        house.time.advance(by: .seconds(61))
        house.checker.script(objectID, unconfirmed: .user)
        house.checker.scriptConfirmation(objectID, .held)
        #expect(await house.signIn(alice) == .allow)
    }

    @Test("P2: a no that cannot be confirmed is final; screen and record say what is missing")
    func notPermitted() async throws {
        house.checker.script(objectID, role: .administrator)
        _ = await decide()
        let fault = AccessCheckFault(
            .identityMayNotAsk,
            detail: "status 403",
            remedy: .giveReader(to: nil, at: house.machine.resource)
        )
        house.checker.script(objectID, unconfirmed: nil)
        house.checker.scriptConfirmation(
            objectID,
            .answer(AccessAnswer(role: nil, lifetime: nil, checker: "pas", confirmation: .notPermitted(fault)))
        )
        house.time.advance(by: .seconds(301))
        guard case .deny(let denial) = await decide().decision else {
            Issue.record("allowed")
            return
        }
        #expect(denial.reason == .roleNotAssigned)
        #expect(denial.text.hasPrefix("Azure role not assigned") && denial.text.contains("Reader"))
        #expect(denial.detail.contains("unconfirmed") && denial.detail.contains("az role assignment create"))
        #expect(house.log.of(.accessCheck).last?.detail?.contains("unconfirmed: status 403") == true)
    }

    @Test("P2: a confirmation without an answer refuses a new user, and an earlier yes goes on within its grace")
    func unanswered() async {
        house.checker.script(objectID, unconfirmed: nil)
        house.checker.scriptConfirmation(objectID, .fault(throttled))
        #expect(await decide().reason == .roleUnconfirmed)
        house.time.advance(by: .seconds(10))
        house.checker.script(objectID, role: .administrator)
        _ = await decide()
        house.checker.script(objectID, unconfirmed: nil)
        house.time.advance(by: .seconds(301))
        for role in [Role.user, .administrator] {
            let ruling = await decide(60, role: role)
            #expect(ruling.decision == .allow(.administrator, .grace))
            #expect(!ruling.confirmation.isFinal)
        }
        // The grace is over.
        house.time.advance(by: .seconds(3601))
        #expect(await decide().reason == .roleUnconfirmed)
    }

    @Test("P2: a yes that was heard before the machine was suspended is not fresh after it; Azure is asked again")
    func suspended() async throws {
        house.checker.script(objectID, unconfirmed: .user)
        house.checker.scriptConfirmation(objectID, .held)
        #expect(await decide().decision == .allow(.user, .azure))
        await house.checker.confirmations.wait { $0.count == 1 }
        house.time.advance(by: .seconds(400))
        house.checker.release(try #require(house.checker.confirmations.value.first), .fault(throttled))
        await house.log.records.wait { records in records.contains { $0.event == .accessCheck } }
        house.checker.script(objectID, role: nil)
        #expect(await decide().decision == .deny(Denial(.roleNotAssigned)))
    }

    @Test("P2: a grant ends by a confirmed answer, and not before")
    func grants() async throws {
        house.accounts.set(alice.name, .enrolled(alice.enrolled()))
        house.checker.script(objectID, role: .administrator)
        _ = await decide()
        try house.grants.grant(uid: alice.uid, until: house.time.bootTime().advanced(by: .seconds(7200)))
        house.time.advance(by: .seconds(301))
        house.checker.script(objectID, unconfirmed: .user)
        house.checker.scriptConfirmation(objectID, .fault(throttled))
        #expect(await decide(60, role: .administrator).allow == .grace)
        #expect(house.grants.current()[alice.uid] != nil)
        house.time.advance(by: .seconds(10))
        house.checker.scriptConfirmation(
            objectID,
            .answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas", confirmation: .agreed))
        )
        #expect(await decide(60, role: .administrator).reason == .administratorRoleNeeded)
        #expect(house.grants.current()[alice.uid] == nil)
    }

    @Test("A user goes on at once while the confirmation is under way; who needs an administrator waits for it")
    func userAtOnce() async throws {
        house.checker.script(objectID, unconfirmed: .user)
        house.checker.scriptConfirmation(objectID, .held)
        #expect(await decide().decision == .allow(.user, .azure))
        #expect(await house.access.authorizer.cached(alice.identity) == nil)
        async let waiting = decide(60, role: .administrator)
        await house.time.sleeping.wait { !$0.isEmpty }
        let question = try #require(house.checker.confirmations.value.first)
        house.checker.release(question, overruled(.administrator))
        #expect(await waiting.decision == .allow(.administrator, .azure))
        #expect(confirmationsAsked == 1)
    }

    @Test("Somebody who was administrator lately waits for the confirmation: user is no answer about that role")
    func administratorWaits() async throws {
        house.checker.script(objectID, role: .administrator)
        _ = await decide()
        house.time.advance(by: .seconds(301))
        house.checker.script(objectID, unconfirmed: .user)
        house.checker.scriptConfirmation(objectID, overruled(.administrator))
        #expect(await decide().decision == .allow(.administrator, .azure))
    }

    @Test("Somebody who was administrator, beyond the grace, is let in as a user where the confirmation does not come")
    func administratorBeyondGrace() async throws {
        house.checker.script(objectID, role: .administrator)
        _ = await decide()
        house.time.advance(by: .seconds(2 * 3600))
        house.checker.script(objectID, unconfirmed: .user)
        house.checker.scriptConfirmation(objectID, .held)
        async let ruling = decide()
        await house.checker.confirmations.wait { $0.count == 1 }
        await house.time.sleeping.wait { !$0.isEmpty }
        house.time.advance(by: .seconds(8))
        #expect(await ruling.decision == .allow(.user, .azure))
    }

    @Test("A user whose confirmation has no answer stays a user for a minute, and is no refused administrator")
    func userWithoutConfirmation() async {
        house.checker.script(objectID, unconfirmed: .user)
        house.checker.scriptConfirmation(objectID, .fault(throttled))
        #expect(await decide(atOnce: false).decision == .allow(.user, .azure))
        #expect(await decide().decision == .allow(.user, .cache))
        #expect(await decide(60, role: .administrator).reason == .roleUnconfirmed)
        house.time.advance(by: .seconds(61))
        house.checker.scriptConfirmation(objectID, overruled(.administrator))
        #expect(await decide(atOnce: false).decision == .allow(.administrator, .azure))
    }
}
