// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Synchronization
import Testing

/// Answers with the groups that a test scripted, and counts the questions.
final class ScriptedMemberships: MembershipChecker {
    private let line = Mutex<Result<Set<ObjectID>, AccessCheckFault>>(.success([]))
    let asked = Watched(0)

    func script(_ groups: ObjectID...) { line.withLock { $0 = .success(Set(groups)) } }

    func fail(_ reason: DenialReason) {
        line.withLock { $0 = .failure(AccessCheckFault(reason, of: AccessCheckFault.graph, detail: "scripted")) }
    }

    func memberships(_ question: AccessQuestion, of groups: [ObjectID]) async throws(AccessCheckFault) -> Set<ObjectID>
    {
        asked.update { $0 += 1 }
        return try line.withLock { $0 }.get()
    }
}

/// Memberships in memory.
final class FakeMemberships: MembershipRegistry {
    private let named: [ObjectID: String]
    private let people = Mutex<[PosixID: (groups: Set<ObjectID>, until: BootTime)]>([:])
    private let time: VirtualTime

    init(_ named: [ObjectID: String], _ time: VirtualTime) {
        self.named = named
        self.time = time
    }

    var groups: [ObjectID] { named.keys.sorted { "\($0)" < "\($1)" } }

    func hasGroup(named name: String) -> Bool { named.values.contains(name) }

    func set(uid: PosixID, in groups: Set<ObjectID>, until expiry: BootTime) {
        people.withLock { $0[uid] = (groups, expiry) }
    }

    func lower(uid: PosixID, to groups: Set<ObjectID>) {
        people.withLock { people in
            if let before = people[uid] { people[uid] = (before.groups.intersection(groups), before.until) }
        }
    }

    func names(of uid: PosixID, until end: BootTime) -> [String] {
        let now = time.bootTime()
        guard let person = people.withLock({ $0[uid] }), person.until > now, person.until >= end else { return [] }
        return person.groups.compactMap { named[$0] }.sorted()
    }
}

/// What the memberships of Entra groups rest on, and what ends them.
@Suite(.timeLimit(.minutes(15))) struct GroupMembershipTests {
    private let fixture: Fixture
    private let checker = ScriptedMemberships()
    private let accounts = ScriptedAccounts()
    private let registry: FakeMemberships
    private let alice: Person
    private let developers: ObjectID

    init() throws {
        let time = VirtualTime()
        developers = try #require(ObjectID("00000000-0000-4000-8000-00000000dddd"))
        registry = FakeMemberships([developers: "developers_entra"], time)
        fixture = try Fixture(
            time: time,
            accountChecker: accounts,
            groups: GroupPorts(checker: checker, registry: registry)
        )
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.checker.script(alice.identity.objectID, role: .user)
        checker.script(developers)
    }

    private var names: [String] { registry.names(of: alice.uid, until: BootTime(sinceBoot: .zero)) }

    private func later(_ seconds: Int = 600) { fixture.time.advance(by: .seconds(seconds)) }

    private func decide() async -> Ruling {
        let deadline = fixture.time.bootTime().advanced(by: .seconds(8))
        let demand = DecisionDemand(maximumAge: .zero, deadline: deadline)
        let id = CountingRandom().correlationID()
        return await fixture.access.authorizer.decide(alice.identity, under: demand, correlation: id)
    }

    private func sudo(_ group: String = "developers_entra", service: String = "sudoers") async -> StageVerdict {
        var request = fixture.accountRequest(alice, service: service)
        request.holdsAdministratorsGroup = true
        request.terminal = group
        return await fixture.access.accountStage.decide(request, callerPID: 99)
    }

    @Test("P3: a first sign-in has its groups when its session opens, and none before it is enrolled")
    func firstSignIn() async throws {
        let certificate = fixture.certificate(for: alice)
        _ = fixture.access.certificateCheck.check(fixture.request(alice, certificate))
        #expect(checker.asked.value == 0)
        #expect(
            await fixture.access.accountStage.decide(fixture.accountRequest(alice), callerPID: Fixture.sshd) == .allow
        )
        #expect(checker.asked.value == 1 && names.isEmpty)
        let session = fixture.sessionRequest(alice, used: certificate)
        #expect(await fixture.access.sessionStage.open(session, callerPID: Fixture.sshd) == .allow)
        #expect(names == ["developers_entra"])
    }

    @Test("P2: an answer that says less takes away at once; so does a no, a disabled account, and a check by hand")
    func ends() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        checker.script()
        later()
        _ = await decide()
        #expect(names.isEmpty)
        checker.script(developers)
        later()
        _ = await decide()
        #expect(names == ["developers_entra"])
        accounts.script(.disabled)
        later()
        _ = await decide()
        #expect(names.isEmpty)
        accounts.script(.enabled)
        later()
        _ = await decide()
        #expect(names == ["developers_entra"])
        fixture.checker.script(alice.identity.objectID, role: nil)
        later()
        _ = await decide()
        #expect(names.isEmpty)
        // The daemon does not ask about the groups of a user without a role.
        let asked = checker.asked.value
        later()
        _ = await decide()
        #expect(checker.asked.value == asked)
    }

    @Test(
        "P1: Graph silent about groups: everybody gets in, what was true lasts for the grace, and nobody gets more",
        arguments: [DenialReason.unreachable, .throttled, .directoryRefused, .malformedAnswer]
    )
    func away(_ reason: DenialReason) async throws {
        checker.fail(reason)
        #expect(await fixture.signIn(alice) == .allow)
        #expect(names.isEmpty && fixture.log.of(.fault).contains { $0.reason == reason })
        checker.script(developers)
        later()
        _ = await decide()
        checker.fail(reason)
        later(3500)
        #expect(await decide().decision == .allow(.user, .azure))
        #expect(names == ["developers_entra"])
        later(101)
        #expect(names.isEmpty)
    }

    @Test("P1: while nobody knows whether the account is enabled, an answer about groups takes away and gives nothing")
    func accountUnknown() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        accounts.fail(.unreachable)
        checker.script()
        later()
        _ = await decide()
        #expect(names.isEmpty)
        checker.script(developers)
        later()
        _ = await decide()
        #expect(names.isEmpty)
    }

    @Test("P1: a group that was not asked about is none")
    func others() async throws {
        checker.script(developers, try #require(ObjectID("00000000-0000-4000-8000-00000000eeee")))
        #expect(await fixture.signIn(alice) == .allow)
        #expect(names == ["developers_entra"])
    }

    @Test("P2: sudo by a group asks anew, and what Entra takes away ends at the next sudo after a minute")
    func sudoers() async throws {
        #expect(await sudo() == .ignore)
        #expect(await fixture.signIn(alice) == .allow)
        #expect(await sudo() == .allow)
        #expect(await sudo(service: "sudoers-list") == .allow)
        for other in ["ops_entra", "entra_admins", "administrators"] {
            #expect(await sudo(other) == .ignore, "\(other)")
        }
        let asked = checker.asked.value
        later(61)
        #expect(await sudo() == .allow)
        #expect(checker.asked.value == asked + 1)
        checker.script()
        later(61)
        #expect(await sudo() == .ignore)
        fixture.checker.script(alice.identity.objectID, role: nil)
        checker.script(developers)
        later(61)
        #expect(await sudo().reason == .roleNotAssigned)
    }

    @Test("P2: where sudo's files would keep it after the role's end, nobody has sudo by a group either")
    func withheld() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.stamp.withhold(true)
        #expect(await sudo().reason == .stackNotVerified)
        checker.script()
        later(61)
        #expect(await sudo() == .ignore)
        fixture.stamp.withhold(false)
        checker.script(developers)
        later(61)
        #expect(await sudo() == .allow)
    }

    @Test("P2: who is disabled, locked, retired or too long without a sign-in has no sudo by a group")
    func barred() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        for state in [AccountState.disabled, .absent] {
            accounts.script(state)
            later(61)
            #expect(await sudo().reason != nil, "\(state)")
            #expect(names.isEmpty)
        }
        accounts.script(.enabled)
        later(61)
        #expect(await sudo() == .allow)
        later(Int(AccessSettings().maximumSignInAge.components.seconds) + 1)
        #expect(await sudo().reason == .signInTooOld)
        for reason in [DenialReason.accountLocked, .accountRetired, .localAccount] {
            fixture.accounts.set(alice.name, .none(Denial(reason)))
            #expect(await sudo() == .ignore, "\(reason)")
        }
    }

    @Test(
        "P1: a role that role assignments give in spite of a first no has its groups, and a no that they confirm has none"
    )
    func overruled() async throws {
        fixture.checker.script(alice.identity.objectID, unconfirmed: nil)
        let given = AccessAnswer(role: .user, lifetime: nil, checker: "pas", confirmation: .overruled)
        fixture.checker.scriptConfirmation(alice.identity.objectID, .answer(given))
        #expect(await fixture.signIn(alice) == .allow)
        #expect(names == ["developers_entra"])
        let denied = AccessAnswer(role: nil, lifetime: nil, checker: "pas", confirmation: .agreed)
        fixture.checker.scriptConfirmation(alice.identity.objectID, .answer(denied))
        later()
        _ = await decide()
        #expect(names.isEmpty)
        // As long as the confirmation gets no answer, the user gets no membership.
        let fault = AccessCheckFault(.roleUnconfirmed, detail: "no answer")
        fixture.checker.scriptConfirmation(alice.identity.objectID, .fault(fault))
        later()
        _ = await decide()
        #expect(names.isEmpty)
    }

    @Test("P1: without a grace, a group counts for sudo by a fresh answer of Graph alone")
    func noGrace() async throws {
        var settings = AccessSettings()
        settings.offlineGrace = .zero
        let fixture = try Fixture(
            settings: settings,
            time: fixture.time,
            groups: GroupPorts(checker: checker, registry: registry)
        )
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.checker.script(alice.identity.objectID, role: .user)
        #expect(await fixture.signIn(alice) == .allow)
        var request = fixture.accountRequest(alice, service: "sudoers")
        request.terminal = "developers_entra"
        later(61)
        #expect(await fixture.access.accountStage.decide(request, callerPID: 99) == .allow)
        checker.fail(.throttled)
        later(200)
        #expect(await fixture.access.accountStage.decide(request, callerPID: 99) == .ignore)
        #expect(names == ["developers_entra"])
    }

    @Test("in the background each person is asked about once in half the time that a membership lasts, not more often")
    func background() async throws {
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.access.batchRefresh.start()
        for round in 1...3 {
            let now = fixture.time.bootTime()
            let range = now.advanced(by: .seconds(1600))...now.advanced(by: .seconds(1800))
            await fixture.time.sleeping.wait { $0.contains { range.contains($0) } }
            #expect(checker.asked.value == round && fixture.checker.questions.value.count == round)
            #expect(names == ["developers_entra"])
            fixture.time.advance(by: .seconds(1800))
        }
    }

    @Test("a terminal is no group: a PAM service that is called as the plugin asks about the administrators")
    func terminals() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        for terminal in ["", "/dev/pts/0", "pts/0", "ssh", "sudo", "docker"] {
            var request = fixture.accountRequest(alice, service: "sudoers")
            request.terminal = terminal
            #expect(request.groupAskedFor == nil, "\(terminal)")
        }
    }

    @Test("P2: a member of a group is no administrator by it, and an administrator no member")
    func apart() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        #expect(await sudo("") == .ignore)
        let boss = try Person("boss@contoso.com", 2)
        fixture.accounts.set(boss.name, .enrolled(boss.enrolled()))
        fixture.checker.script(boss.identity.objectID, role: .administrator)
        checker.script()
        #expect(await fixture.signIn(boss, in: 4712) == .allow)
        var request = fixture.accountRequest(boss, service: "sudoers")
        request.terminal = "developers_entra"
        #expect(await fixture.access.accountStage.decide(request, callerPID: 99) == .ignore)
    }
}
