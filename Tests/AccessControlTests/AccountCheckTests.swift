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
    private let house: House
    private let accounts = ScriptedAccounts()
    private let alice: Person

    init() throws {
        var settings = AccessSettings()
        settings.endSessionsAfter = .zero
        house = try House(settings: settings, accountChecker: accounts)
        alice = try Person("alice@contoso.com", 1)
        house.accounts.set(alice.name, .enrolled(alice.enrolled()))
        house.checker.script(alice.identity.objectID, role: .administrator)
    }

    private func decide(_ age: Int = 0, role: Role = .user) async -> Ruling {
        let deadline = house.time.bootTime().advanced(by: .seconds(8))
        let demand = DecisionDemand(maximumAge: .seconds(age), deadline: deadline, role: role)
        let id = CountingRandom().correlationID()
        return await house.access.authorizer.decide(alice.identity, under: demand, correlation: id)
    }

    private func later(_ seconds: Int = 600) { house.time.advance(by: .seconds(seconds)) }

    @Test("P2: a disabled or deleted account is a no, whatever its roles", arguments: [AccountState.disabled, .absent])
    func blocked(_ state: AccountState) async throws {
        accounts.script(state)
        #expect(await house.signIn(alice).reason == .accountDisabled)
        #expect(house.grants.current().isEmpty)
        let record = try #require(house.log.of(.accessCheck).first)
        #expect(record.reason == .accountDisabled && record.verdict == .deny && record.role == nil)
        let explained = await house.access.explanation.explain("alice@contoso.com", asking: false)
        #expect(explained.steps.first { $0.subject == "role" }?.reason == "account-disabled")
    }

    @Test("P2: it ends the membership, sudo and every session of before, as a withdrawn role does")
    func ends() async throws {
        #expect(await house.signIn(alice) == .allow)
        #expect(!house.grants.current().isEmpty)
        accounts.script(.disabled)
        later(300)
        await house.access.renewal.renew()
        await house.starter.settle()
        #expect(house.grants.current().isEmpty)
        #expect(house.ender.calls.value == [.init(uid: alice.uid.number, cause: .accountDisabled)])
        #expect(house.log.of(.withdrawn).first?.reason == .accountDisabled)
        #expect(house.log.of(.sessionsEnded).first?.reason == .accountDisabled)
        #expect(await house.sudo(alice, holdsGroup: true).reason == .accountDisabled)
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
        #expect(await house.signIn(alice).reason == reason)
        accounts.script(.enabled)
        later(10)
        #expect(await house.signIn(alice) == .allow)
        accounts.fail(reason)
        later(3000)
        #expect(await decide().decision == .allow(.administrator, .grace))
        #expect(house.ender.calls.value.isEmpty)
        later(601)
        #expect(await decide().reason == reason)
        await house.starter.settle()
        #expect(house.ender.calls.value.isEmpty)
    }

    @Test(
        "P1: a missing permission and a malformed answer are bridged by nothing",
        arguments: [
            DenialReason.directoryRefused, .malformedAnswer,
        ]
    )
    func refused(_ reason: DenialReason) async throws {
        #expect(await house.signIn(alice) == .allow)
        accounts.fail(reason)
        later()
        #expect(await decide().reason == reason)
        await house.starter.settle()
        #expect(house.ender.calls.value.isEmpty)
    }

    @Test("P2: while Graph is away, a withdrawn role is a no all the same, and Graph is not asked about it")
    func roleGone() async throws {
        #expect(await house.signIn(alice) == .allow)
        accounts.fail(.unreachable)
        house.checker.script(alice.identity.objectID, role: nil)
        later()
        let asked = accounts.asked.value
        #expect(await decide().reason == .roleNotAssigned)
        #expect(accounts.asked.value == asked)
        await house.starter.settle()
        #expect(house.ender.calls.value == [.init(uid: alice.uid.number, cause: .roleGone)])
    }

    @Test("P2: while Graph is away, a no that role assignments confirm is a no, too")
    func confirmedNo() async throws {
        #expect(await house.signIn(alice) == .allow)
        accounts.fail(.unreachable)
        house.checker.script(alice.identity.objectID, unconfirmed: nil)
        later()
        #expect(await decide().reason == .roleNotAssigned)
        #expect(house.grants.current().isEmpty)
    }

    @Test("P2: while Graph is away, an administrator who was lowered is a user in the grace, and no longer than before")
    func lowered() async throws {
        #expect(await house.signIn(alice) == .allow)
        accounts.fail(.unreachable)
        house.checker.script(alice.identity.objectID, role: .user)
        later(600)
        #expect(await decide().decision == .allow(.user, .grace))
        #expect(house.grants.current().isEmpty)
        #expect(house.log.of(.withdrawn).first?.reason == .administratorRoleNeeded)
        #expect(await house.sudo(alice, holdsGroup: true).reason == .administratorRoleNeeded)
        later(3001)
        #expect(await decide().reason == .unreachable)
    }

    @Test("P1: nobody gets in as a user before Graph has answered, while their role is still being confirmed")
    func announced() async throws {
        accounts.script(.disabled)
        house.checker.script(alice.identity.objectID, unconfirmed: .user)
        #expect(await house.signIn(alice).reason == .accountDisabled)
        #expect(house.checker.confirmations.value.isEmpty)
        accounts.fail(.unreachable)
        later()
        #expect(await house.signIn(alice).reason == .accountDisabled)
        let bob = try Person("bob@contoso.com", 2)
        house.accounts.set(bob.name, .enrolled(bob.enrolled()))
        house.checker.script(bob.identity.objectID, unconfirmed: .user)
        #expect(await house.signIn(bob, in: 4712).reason == .unreachable)
    }

    @Test("P2: a disabled account that was learned by asking aside counts at once, and keeps its reason")
    func aside() async throws {
        #expect(await house.signIn(alice) == .allow)
        let authorizer = house.access.authorizer
        let id = CountingRandom().correlationID()
        let no = AccessAnswer(blocked: .disabled)
        await authorizer.takeRefusal(no, of: alice.identity.objectID, on: house.machine, correlation: id)
        #expect(house.grants.current().isEmpty)
        #expect(await decide(300).reason == .accountDisabled)
    }

    @Test("Off: nobody is asked, and nothing is different")
    func off() async throws {
        let house = try House()
        house.accounts.set(alice.name, .enrolled(alice.enrolled()))
        house.checker.script(alice.identity.objectID, role: .user)
        #expect(await house.signIn(alice) == .allow)
        #expect(await house.access.authorizer.cached(alice.identity)?.account == nil)
    }
}
