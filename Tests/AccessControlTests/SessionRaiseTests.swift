// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite(.timeLimit(.minutes(15))) struct SessionRaiseTests {
    private let house: House
    private let alice: Person

    init() throws {
        house = try House()
        alice = try Person("alice@contoso.com", 1)
        house.accounts.set(alice.name, .provisional(alice.account))
        house.checker.script(alice.identity.objectID, role: .user)
    }

    /// Asks as sudo's plugin does about its own user, or as another service.
    private func sudo(_ service: String = "sudoers", _ house: House? = nil) async -> StageVerdict {
        let house = house ?? self.house
        var request = house.accountRequest(alice, service: service)
        request.holdsAdministratorsGroup = true
        return await house.access.accountStage.decide(request, callerPID: 99)
    }

    private func give(_ role: Role?) { house.checker.script(alice.identity.objectID, role: role) }

    private func endSession() {
        house.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: House.sshd)
    }

    private func renewed() async -> StageVerdict {
        await house.access.renewal.renew()
        return .ignore
    }

    /// Waits until the loop sleeps until the next round, not only until a question's deadline.
    private func roundIsOver() async {
        let soon = house.time.bootTime().advanced(by: .seconds(200))
        await house.time.sleeping.wait { $0.contains { $0 > soon } }
    }

    private var outage: ScriptedChecker.Line { .fault(AccessCheckFault(.unreachable, detail: "")) }

    private var yes: ScriptedChecker.Line { .answer(AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")) }

    @Test("P1: a role given during a session: the sudo that asks next has it, and the record says raised")
    func raises() async throws {
        #expect(await house.signIn(alice) == .allow)
        #expect(await sudo() == .ignore)
        give(.administrator)
        house.time.advance(by: .seconds(59))
        #expect(await sudo() == .ignore, "Azure's no counts for its minute")
        #expect(house.checker.questions.value.count == 1 && house.log.of(.raised).isEmpty)
        house.time.advance(by: .seconds(2))
        #expect(await sudo() == .allow)
        let question = try #require(house.checker.questions.value.last)
        let record = try #require(house.log.of(.raised).first)
        #expect(record.service == "sudoers" && record.correlation == question.correlation)
        #expect(record.objectID == alice.identity.objectID && record.user == alice.name.text)
        #expect(house.grants.current() == [alice.uid: house.time.bootTime().advanced(by: .seconds(3600))])
        #expect(await sudo() == .allow)
        #expect(house.log.of(.raised).count == 1 && house.checker.questions.value.count == 2)
        endSession()
        #expect(house.grants.current().isEmpty && house.log.of(.withdrawn).count == 1)
    }

    @Test("P2: while sudo could outlive the role here, nobody is raised; a round's no still ends what there is")
    func withheld() async {
        #expect(await house.signIn(alice) == .allow)
        give(.administrator)
        house.time.advance(by: .seconds(61))
        house.stamp.withhold(true)
        #expect(await sudo() == .ignore)
        #expect(await renewed() == .ignore)
        #expect(house.grants.current().isEmpty && house.log.of(.raised).isEmpty)
        house.stamp.withhold(false)
        house.time.advance(by: .seconds(61))
        #expect(await sudo() == .allow)
    }

    @Test("P2: without an open session, or about another user, nobody is raised or asked about")
    func noSession() async {
        #expect(await house.signIn(alice) == .allow)
        give(.administrator)
        house.time.advance(by: .seconds(61))
        #expect(await sudo("sudoers-list") == .ignore)
        endSession()
        // A session that only logind knows, such as a cron job's, is not one that the daemon opened.
        house.processes.setLoginSession(alice.uid.number, true)
        #expect(await sudo() == .ignore)
        #expect(house.checker.questions.value.count == 1)
        #expect(house.grants.current().isEmpty && house.log.of(.raised).isEmpty)
        #expect(await house.signIn(alice, in: 4712) == .allow)
        house.processes.kill(4712)
        #expect(await sudo() == .ignore, "its process is gone")
        #expect(house.checker.questions.value.count == 1 && house.grants.current().isEmpty)
    }

    @Test("P13: refused sudo of one account asks once a minute, also in an outage; callers share one question")
    func bounded() async throws {
        #expect(await house.signIn(alice) == .allow)
        house.time.advance(by: .seconds(61))
        house.checker.script(alice.identity.objectID, outage)
        for _ in 0..<12 {
            #expect(await sudo() == .ignore)
            house.time.advance(by: .seconds(5))
        }
        #expect(house.checker.questions.value.count == 2)
        house.checker.script(alice.identity.objectID, .held)
        async let first = sudo()
        await house.checker.questions.wait { $0.count == 3 }
        async let second = sudo()
        let question = try #require(house.checker.questions.value.last)
        house.checker.release(question, yes)
        #expect(await [first, second] == [.allow, .allow])
        #expect(house.checker.questions.value.count == 3 && house.log.of(.raised).count == 1)
    }

    @Test("P2: a yes that was under way undoes no no that came meanwhile", arguments: [Role.user, nil])
    func noMeanwhile(role: Role?) async throws {
        #expect(await house.signIn(alice) == .allow)
        house.time.advance(by: .seconds(61))
        house.checker.script(alice.identity.objectID, .held)
        async let verdict = sudo()
        await house.checker.questions.wait { $0.count == 2 }
        let answer = AccessAnswer(role: role, lifetime: nil, checker: "arm")
        let question = try #require(house.checker.questions.value.last)
        await house.access.authorizer.takeRefusal(
            answer,
            of: alice.identity.objectID,
            on: house.machine,
            correlation: question.correlation
        )
        house.checker.release(question, yes)
        #expect(await verdict == .ignore)
        #expect(house.grants.current().isEmpty && house.log.of(.raised).isEmpty)
    }

    @Test(
        "P2: a session that ended while the answer was under way is not raised: by sudo, by a round",
        arguments: [true, false]
    )
    func endedMeanwhile(bySudo: Bool) async throws {
        #expect(await house.signIn(alice) == .allow)
        house.time.advance(by: .seconds(61))
        house.checker.script(alice.identity.objectID, .held)
        async let verdict = bySudo ? sudo() : renewed()
        await house.checker.questions.wait { $0.count == 2 }
        endSession()
        house.checker.release(try #require(house.checker.questions.value.last), yes)
        #expect(await verdict == .ignore)
        #expect(house.grants.current().isEmpty && house.log.of(.raised).isEmpty)
    }

    @Test("P1: an outage raises nobody, though an earlier yes is within the grace; Azure's own yes does")
    func outageRaisesNobody() async {
        give(.administrator)
        #expect(await house.signIn(alice) == .allow)
        house.grants.withdraw(uid: alice.uid)
        house.checker.script(alice.identity.objectID, outage)
        house.time.advance(by: .seconds(301))
        #expect(await sudo() == .ignore)
        await house.access.renewal.renew()
        #expect(house.grants.current().isEmpty && house.log.of(.raised).isEmpty)
        give(.administrator)
        house.time.advance(by: .seconds(61))
        #expect(await sudo() == .allow)
        #expect(house.log.of(.raised).count == 1)
    }

    @Test("P2: a role that is lost and given again counts again, and each change has its record")
    func lostAndGiven() async {
        give(.administrator)
        #expect(await house.signIn(alice) == .allow)
        for round in 1...3 {
            give(.user)
            house.time.advance(by: .seconds(61))
            #expect(await sudo().reason == .administratorRoleNeeded)
            #expect(await sudo() == .ignore)
            give(.administrator)
            house.time.advance(by: .seconds(61))
            #expect(await sudo() == .allow)
            #expect(house.log.of(.withdrawn).count == round && house.log.of(.raised).count == round)
        }
    }

    @Test("P2: after a restart of the daemon a session that was not kept is not raised, whatever logind says")
    func restart() async throws {
        let house = try House()
        house.accounts.set(alice.name, .enrolled(alice.enrolled()))
        house.processes.setLoginSession(alice.uid.number, true)
        house.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await sudo("sudoers", house) == .ignore)
        await house.access.renewal.renew()
        #expect(house.grants.current().isEmpty && house.checker.questions.value.isEmpty)
        // The control: a new sign-in.
        #expect(await house.signIn(alice) == .allow)
        #expect(await sudo("sudoers", house) == .allow)
    }

    @Test("A yes that another service has just heard of is enough, and asks nothing")
    func heardElsewhere() async {
        #expect(await house.signIn(alice) == .allow)
        house.time.advance(by: .seconds(61))
        #expect(await sudo() == .ignore)
        give(.administrator)
        house.time.advance(by: .seconds(1))
        let demand = DecisionDemand(maximumAge: .zero, deadline: house.time.bootTime().advanced(by: .seconds(8)))
        let id = house.access.correlationID()
        _ = await house.access.authorizer.decide(alice.identity, under: demand, correlation: id)
        #expect(await sudo() == .allow)
        #expect(house.checker.questions.value.count == 3)
    }

    @Test("P1: a round finds a role given during a session, for whom the daemon let in and nobody else")
    func round() async throws {
        var settings = AccessSettings()
        settings.endSessionsAfter = .zero
        let house = try House(settings: settings)
        let bob = try Person("bob@contoso.com", 2)
        house.accounts.set(alice.name, .provisional(alice.account))
        house.accounts.set(bob.name, .enrolled(bob.enrolled()))
        house.checker.script(alice.identity.objectID, role: .user)
        house.checker.script(bob.identity.objectID, role: .administrator)
        house.processes.setLoginSession(bob.uid.number, true)
        #expect(await house.signIn(alice) == .allow)
        house.checker.script(alice.identity.objectID, role: .administrator)
        house.time.advance(by: .seconds(301))
        await house.access.renewal.renew(includingUsers: false)
        #expect(house.checker.questions.value.count == 1, "no administrator is signed in")
        await house.access.renewal.renew()
        #expect(Array(house.grants.current().keys) == [alice.uid])
        #expect(house.checker.questions.value.count == 3, "EndSessions=yes: about bob's login session, too")
        #expect(house.log.of(.raised).map(\.user) == [alice.name.text])
        #expect(house.log.of(.raised).first?.service == nil)
    }

    @Test("A round asks about administrators every five minutes, about others every fifteen")
    func intervals() async throws {
        let bob = try Person("bob@contoso.com", 2)
        house.accounts.set(bob.name, .provisional(bob.account))
        house.checker.script(bob.identity.objectID, role: .administrator)
        #expect(await house.signIn(alice) == .allow)
        #expect(await house.signIn(bob, in: 4712) == .allow)
        house.access.renewal.start()
        var seen: [ObjectID: Int] = [:]
        for round in 1...6 {
            await roundIsOver()
            let before = house.checker.questions.value.count
            house.time.advance(by: .seconds(300))
            await house.checker.questions.wait { $0.count > before }
            await roundIsOver()
            seen = Dictionary(house.checker.questions.value.map { ($0.objectID, 1) }, uniquingKeysWith: +)
            #expect(seen[bob.identity.objectID] == 1 + round)
        }
        #expect(seen[alice.identity.objectID] == 3)
    }
}
