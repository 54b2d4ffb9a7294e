// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite(.timeLimit(.minutes(15))) struct SessionRaiseTests {
    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.checker.script(alice.identity.objectID, role: .user)
    }

    /// Asks as sudo's plugin does, about the user who runs sudo; or as another service.
    private func sudo(_ service: String = "sudoers", _ fixture: Fixture? = nil) async -> StageVerdict {
        let fixture = fixture ?? self.fixture
        var request = fixture.accountRequest(alice, service: service)
        request.holdsAdministratorsGroup = true
        return await fixture.access.accountStage.decide(request, callerPID: 99)
    }

    private func give(_ role: Role?) { fixture.checker.script(alice.identity.objectID, role: role) }

    private func endSession() {
        fixture.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: Fixture.sshd)
    }

    private func renewed() async -> StageVerdict {
        await fixture.access.renewal.renew()
        return .ignore
    }

    /// Waits until the loop sleeps until the next round, not only until a question's deadline.
    private func roundIsOver() async {
        let soon = fixture.time.bootTime().advanced(by: .seconds(200))
        await fixture.time.sleeping.wait { $0.contains { $0 > soon } }
    }

    private var outage: ScriptedChecker.Line { .fault(AccessCheckFault(.unreachable, detail: "")) }

    private var yes: ScriptedChecker.Line { .answer(AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")) }

    @Test("P1: a role given during a session: the sudo that asks next has it, and the record says raised")
    func raises() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        #expect(await sudo() == .ignore)
        give(.administrator)
        fixture.time.advance(by: .seconds(59))
        #expect(await sudo() == .ignore, "Azure's no counts for its minute")
        #expect(fixture.checker.questions.value.count == 1 && fixture.log.of(.raised).isEmpty)
        fixture.time.advance(by: .seconds(2))
        #expect(await sudo() == .allow)
        let question = try #require(fixture.checker.questions.value.last)
        let record = try #require(fixture.log.of(.raised).first)
        #expect(record.service == "sudoers" && record.correlation == question.correlation)
        #expect(record.objectID == alice.identity.objectID && record.user == alice.name.text)
        #expect(fixture.grants.current() == [alice.uid: fixture.time.bootTime().advanced(by: .seconds(3600))])
        #expect(await sudo() == .allow)
        #expect(fixture.log.of(.raised).count == 1 && fixture.checker.questions.value.count == 2)
        endSession()
        #expect(fixture.grants.current().isEmpty && fixture.log.of(.withdrawn).count == 1)
    }

    @Test("P2: while sudo could outlive the role here, nobody is raised; a round's no still ends what there is")
    func withheld() async {
        #expect(await fixture.signIn(alice) == .allow)
        give(.administrator)
        fixture.time.advance(by: .seconds(61))
        fixture.stamp.withhold(true)
        #expect(await sudo() == .ignore)
        #expect(await renewed() == .ignore)
        #expect(fixture.grants.current().isEmpty && fixture.log.of(.raised).isEmpty)
        fixture.stamp.withhold(false)
        fixture.time.advance(by: .seconds(61))
        #expect(await sudo() == .allow)
    }

    @Test("P2: without an open session, or about another user, nobody is raised or asked about")
    func noSession() async {
        #expect(await fixture.signIn(alice) == .allow)
        give(.administrator)
        fixture.time.advance(by: .seconds(61))
        #expect(await sudo("sudoers-list") == .ignore)
        endSession()
        // A session that only logind knows, such as a cron job's, is not one that the daemon opened.
        fixture.processes.setLoginSession(alice.uid.number, true)
        #expect(await sudo() == .ignore)
        #expect(fixture.checker.questions.value.count == 1)
        #expect(fixture.grants.current().isEmpty && fixture.log.of(.raised).isEmpty)
        #expect(await fixture.signIn(alice, in: 4712) == .allow)
        fixture.processes.kill(4712)
        #expect(await sudo() == .ignore, "its process is gone")
        #expect(fixture.checker.questions.value.count == 1 && fixture.grants.current().isEmpty)
    }

    @Test("P13: refused sudo of one account asks once a minute, also in an outage; callers share one question")
    func bounded() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.time.advance(by: .seconds(61))
        fixture.checker.script(alice.identity.objectID, outage)
        for _ in 0..<12 {
            #expect(await sudo() == .ignore)
            fixture.time.advance(by: .seconds(5))
        }
        #expect(fixture.checker.questions.value.count == 2)
        fixture.checker.script(alice.identity.objectID, .held)
        async let first = sudo()
        await fixture.checker.questions.wait { $0.count == 3 }
        async let second = sudo()
        let question = try #require(fixture.checker.questions.value.last)
        fixture.checker.release(question, yes)
        #expect(await [first, second] == [.allow, .allow])
        #expect(fixture.checker.questions.value.count == 3 && fixture.log.of(.raised).count == 1)
    }

    @Test("P2: a yes that was under way undoes no no that came meanwhile", arguments: [Role.user, nil])
    func noMeanwhile(role: Role?) async throws {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.time.advance(by: .seconds(61))
        fixture.checker.script(alice.identity.objectID, .held)
        async let verdict = sudo()
        await fixture.checker.questions.wait { $0.count == 2 }
        let answer = AccessAnswer(role: role, lifetime: nil, checker: "arm")
        let question = try #require(fixture.checker.questions.value.last)
        await fixture.access.authorizer.takeRefusal(
            answer,
            of: alice.identity.objectID,
            on: fixture.machine,
            correlation: question.correlation
        )
        fixture.checker.release(question, yes)
        #expect(await verdict == .ignore)
        #expect(fixture.grants.current().isEmpty && fixture.log.of(.raised).isEmpty)
    }

    @Test(
        "P2: a session that ended while the answer was under way is not raised: by sudo, by a round",
        arguments: [true, false]
    )
    func endedMeanwhile(bySudo: Bool) async throws {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.time.advance(by: .seconds(61))
        fixture.checker.script(alice.identity.objectID, .held)
        async let verdict = bySudo ? sudo() : renewed()
        await fixture.checker.questions.wait { $0.count == 2 }
        endSession()
        fixture.checker.release(try #require(fixture.checker.questions.value.last), yes)
        #expect(await verdict == .ignore)
        #expect(fixture.grants.current().isEmpty && fixture.log.of(.raised).isEmpty)
    }

    @Test("P1: an outage raises nobody, though an earlier yes is within the grace; Azure's own yes does")
    func outageRaisesNobody() async {
        give(.administrator)
        #expect(await fixture.signIn(alice) == .allow)
        fixture.grants.withdraw(uid: alice.uid)
        fixture.checker.script(alice.identity.objectID, outage)
        fixture.time.advance(by: .seconds(301))
        #expect(await sudo() == .ignore)
        await fixture.access.renewal.renew()
        #expect(fixture.grants.current().isEmpty && fixture.log.of(.raised).isEmpty)
        give(.administrator)
        fixture.time.advance(by: .seconds(61))
        #expect(await sudo() == .allow)
        #expect(fixture.log.of(.raised).count == 1)
    }

    @Test("P2: a role that is lost and given again counts again, and each change has its record")
    func lostAndGiven() async {
        give(.administrator)
        #expect(await fixture.signIn(alice) == .allow)
        for round in 1...3 {
            give(.user)
            fixture.time.advance(by: .seconds(61))
            #expect(await sudo().reason == .administratorRoleNeeded)
            #expect(await sudo() == .ignore)
            give(.administrator)
            fixture.time.advance(by: .seconds(61))
            #expect(await sudo() == .allow)
            #expect(fixture.log.of(.withdrawn).count == round && fixture.log.of(.raised).count == round)
        }
    }

    @Test("P2: after a restart of the daemon a session that was not kept is not raised, whatever logind says")
    func restart() async throws {
        let fixture = try Fixture()
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.processes.setLoginSession(alice.uid.number, true)
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await sudo("sudoers", fixture) == .ignore)
        await fixture.access.renewal.renew()
        #expect(fixture.grants.current().isEmpty && fixture.checker.questions.value.isEmpty)
        // Control: after a new sign-in, sudo is allowed.
        #expect(await fixture.signIn(alice) == .allow)
        #expect(await sudo("sudoers", fixture) == .allow)
    }

    @Test("A yes that another service has just heard of is enough, and asks nothing")
    func heardElsewhere() async {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.time.advance(by: .seconds(61))
        #expect(await sudo() == .ignore)
        give(.administrator)
        fixture.time.advance(by: .seconds(1))
        let demand = DecisionDemand(maximumAge: .zero, deadline: fixture.time.bootTime().advanced(by: .seconds(8)))
        let id = fixture.access.correlationID()
        _ = await fixture.access.authorizer.decide(alice.identity, under: demand, correlation: id)
        #expect(await sudo() == .allow)
        #expect(fixture.checker.questions.value.count == 3)
    }

    @Test("P1: a round finds a role given during a session, for whom the daemon let in and nobody else")
    func round() async throws {
        var settings = AccessSettings()
        settings.endSessionsAfter = .zero
        let fixture = try Fixture(settings: settings)
        let bob = try Person("bob@contoso.com", 2)
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.accounts.set(bob.name, .enrolled(bob.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.checker.script(bob.identity.objectID, role: .administrator)
        fixture.processes.setLoginSession(bob.uid.number, true)
        #expect(await fixture.signIn(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.time.advance(by: .seconds(301))
        await fixture.access.renewal.renew(includingUsers: false)
        #expect(fixture.checker.questions.value.count == 1, "no administrator is signed in")
        await fixture.access.renewal.renew()
        #expect(Array(fixture.grants.current().keys) == [alice.uid])
        #expect(fixture.checker.questions.value.count == 3, "EndSessions=yes: about bob's login session, too")
        #expect(fixture.log.of(.raised).map(\.user) == [alice.name.text])
        #expect(fixture.log.of(.raised).first?.service == nil)
    }

    @Test("A round asks about administrators every five minutes, about others every fifteen")
    func intervals() async throws {
        let bob = try Person("bob@contoso.com", 2)
        fixture.accounts.set(bob.name, .provisional(bob.account))
        fixture.checker.script(bob.identity.objectID, role: .administrator)
        #expect(await fixture.signIn(alice) == .allow)
        #expect(await fixture.signIn(bob, in: 4712) == .allow)
        fixture.access.renewal.start()
        var seen: [ObjectID: Int] = [:]
        for round in 1...6 {
            await roundIsOver()
            let before = fixture.checker.questions.value.count
            fixture.time.advance(by: .seconds(300))
            await fixture.checker.questions.wait { $0.count > before }
            await roundIsOver()
            seen = Dictionary(fixture.checker.questions.value.map { ($0.objectID, 1) }, uniquingKeysWith: +)
            #expect(seen[bob.identity.objectID] == 1 + round)
        }
        #expect(seen[alice.identity.objectID] == 3)
    }
}
