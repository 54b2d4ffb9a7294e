// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Synchronization
import Testing

/// Answers as a test says, and counts the questions.
final class ScriptedAccounts: AccountChecker {
    private let line = Mutex<Result<AccountState, AccessCheckFault>>(.success(.enabled))
    let asked = Watched(0)

    func script(_ state: AccountState) { line.withLock { $0 = .success(state) } }

    func fail(_ reason: DenialReason) {
        line.withLock { $0 = .failure(AccessCheckFault(reason, of: AccessCheckFault.graph, detail: "scripted")) }
    }

    func state(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccountState {
        asked.update { $0 += 1 }
        return try line.withLock { $0 }.get()
    }
}

/// How a disabled account affects decisions, besides the roles.
@Suite(.timeLimit(.minutes(15))) struct AccountCheckTests {
    private let fixture: Fixture
    private let accounts = ScriptedAccounts()
    private let alice: Person

    init() throws {
        var settings = AccessSettings()
        settings.endSessionsAfter = .zero
        fixture = try Fixture(settings: settings, accountChecker: accounts)
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .administrator)
    }

    private func decide(_ age: Int = 0, role: Role = .user) async -> Ruling {
        let deadline = fixture.time.bootTime().advanced(by: .seconds(8))
        let demand = DecisionDemand(maximumAge: .seconds(age), deadline: deadline, role: role)
        let id = CountingRandom().correlationID()
        return await fixture.access.authorizer.decide(alice.identity, under: demand, correlation: id)
    }

    private func later(_ seconds: Int = 600) { fixture.time.advance(by: .seconds(seconds)) }

    @Test("P2: a disabled or deleted account is a no, whatever its roles", arguments: [AccountState.disabled, .absent])
    func blocked(_ state: AccountState) async throws {
        accounts.script(state)
        #expect(await fixture.signIn(alice).reason == .accountDisabled)
        #expect(fixture.grants.current().isEmpty)
        let record = try #require(fixture.log.of(.accessCheck).first)
        #expect(record.reason == .accountDisabled && record.verdict == .deny && record.role == nil)
        let explained = await fixture.access.explanation.explain("alice@contoso.com", asking: false)
        #expect(explained.steps.first { $0.subject == "role" }?.reason == "account-disabled")
    }

    @Test("P2: it ends the membership, sudo and every session of before, as a withdrawn role does")
    func ends() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        #expect(!fixture.grants.current().isEmpty)
        accounts.script(.disabled)
        later(300)
        await fixture.access.renewal.renew()
        await fixture.starter.settle()
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.ender.calls.value == [.init(uid: alice.uid.number, cause: .accountDisabled)])
        #expect(fixture.log.of(.withdrawn).first?.reason == .accountDisabled)
        #expect(fixture.log.of(.sessionsEnded).first?.reason == .accountDisabled)
        #expect(await fixture.sudo(alice, holdsGroup: true).reason == .accountDisabled)
        // A later outage of either service does not bring access back.
        accounts.fail(.unreachable)
        later()
        #expect(await decide().reason == .accountDisabled)
        accounts.script(.enabled)
        later(10)
        #expect(await decide().decision == .allow(.administrator, .azure))
    }

    @Test(
        "P1: Graph away: an earlier yes counts within the grace, nobody new gets in, and nothing ends",
        arguments: [
            DenialReason.unreachable, .throttled,
        ]
    )
    func away(_ reason: DenialReason) async throws {
        accounts.fail(reason)
        #expect(await fixture.signIn(alice).reason == reason)
        accounts.script(.enabled)
        later(10)
        #expect(await fixture.signIn(alice) == .allow)
        accounts.fail(reason)
        later(3000)
        #expect(await decide().decision == .allow(.administrator, .grace))
        #expect(fixture.ender.calls.value.isEmpty)
        later(601)
        #expect(await decide().reason == reason)
        await fixture.starter.settle()
        #expect(fixture.ender.calls.value.isEmpty)
    }

    @Test(
        "P1: a missing permission and a malformed answer are bridged by nothing",
        arguments: [
            DenialReason.directoryRefused, .malformedAnswer,
        ]
    )
    func refused(_ reason: DenialReason) async throws {
        #expect(await fixture.signIn(alice) == .allow)
        accounts.fail(reason)
        later()
        #expect(await decide().reason == reason)
        await fixture.starter.settle()
        #expect(fixture.ender.calls.value.isEmpty)
    }

    @Test("P2: while Graph is away, a withdrawn role is a no all the same, and Graph is not asked about it")
    func roleGone() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        accounts.fail(.unreachable)
        fixture.checker.script(alice.identity.objectID, role: nil)
        later()
        let asked = accounts.asked.value
        #expect(await decide().reason == .roleNotAssigned)
        #expect(accounts.asked.value == asked)
        await fixture.starter.settle()
        #expect(fixture.ender.calls.value == [.init(uid: alice.uid.number, cause: .roleGone)])
    }

    @Test("P2: while Graph is away, a no that role assignments confirm is a no, too")
    func confirmedNo() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        accounts.fail(.unreachable)
        fixture.checker.script(alice.identity.objectID, unconfirmed: nil)
        later()
        #expect(await decide().reason == .roleNotAssigned)
        #expect(fixture.grants.current().isEmpty)
    }

    @Test("P2: while Graph is away, an administrator who was lowered is a user in the grace, and no longer than before")
    func lowered() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        accounts.fail(.unreachable)
        fixture.checker.script(alice.identity.objectID, role: .user)
        later(600)
        #expect(await decide().decision == .allow(.user, .grace))
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.log.of(.withdrawn).first?.reason == .administratorRoleNeeded)
        #expect(await fixture.sudo(alice, holdsGroup: true).reason == .administratorRoleNeeded)
        later(3001)
        #expect(await decide().reason == .unreachable)
    }

    @Test("P1: nobody gets in as a user before Graph has answered, while their role is still being confirmed")
    func announced() async throws {
        accounts.script(.disabled)
        fixture.checker.script(alice.identity.objectID, unconfirmed: .user)
        #expect(await fixture.signIn(alice).reason == .accountDisabled)
        #expect(fixture.checker.confirmations.value.isEmpty)
        accounts.fail(.unreachable)
        later()
        #expect(await fixture.signIn(alice).reason == .accountDisabled)
        let bob = try Person("bob@contoso.com", 2)
        fixture.accounts.set(bob.name, .enrolled(bob.enrolled()))
        fixture.checker.script(bob.identity.objectID, unconfirmed: .user)
        #expect(await fixture.signIn(bob, in: 4712).reason == .unreachable)
    }

    @Test("P2: a disabled account that was learned by asking aside counts at once, and keeps its reason")
    func aside() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        let authorizer = fixture.access.authorizer
        let id = CountingRandom().correlationID()
        let no = AccessAnswer(blocked: .disabled)
        await authorizer.takeRefusal(no, of: alice.identity.objectID, on: fixture.machine, correlation: id)
        #expect(fixture.grants.current().isEmpty)
        #expect(await decide(300).reason == .accountDisabled)
    }

    @Test("Off: nobody is asked, and nothing is different")
    func off() async throws {
        let fixture = try Fixture()
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .user)
        #expect(await fixture.signIn(alice) == .allow)
        #expect(await fixture.access.authorizer.cached(alice.identity)?.account == nil)
    }
}
