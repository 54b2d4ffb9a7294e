// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite(.timeLimit(.minutes(15))) struct GrantRenewalTests {
    private let house: House
    private let alice: Person

    init() throws {
        house = try House()
        alice = try Person("alice@contoso.com", 1)
        house.accounts.set(alice.name, .provisional(alice.account))
        house.checker.script(alice.identity.objectID, role: .administrator)
    }

    private func hours(_ house: House, _ seconds: Int) -> BootTime {
        house.time.bootTime().advanced(by: .seconds(seconds))
    }

    private var outage: ScriptedChecker.Line { .fault(AccessCheckFault(.unreachable, detail: "")) }

    @Test("An administrator with a living session stays one for longer than a grant's lifetime")
    func renews() async {
        #expect(await house.signIn(alice) == .allow)
        for _ in 0..<10 {
            house.time.advance(by: .seconds(900))
            await house.access.renewal.renew()
            #expect(house.grants.current() == [alice.uid: hours(house, 3600)])
        }
        #expect(house.checker.questions.value.count == 11)
    }

    @Test("P2: a role that was lowered or removed ends the grant at the next look", arguments: [Role.user, nil])
    func withdraws(role: Role?) async {
        #expect(await house.signIn(alice) == .allow)
        house.checker.script(alice.identity.objectID, role: role)
        house.time.advance(by: .seconds(900))
        await house.access.renewal.renew()
        #expect(house.grants.current().isEmpty)
        #expect(house.log.of(.withdrawn).count == 1)
    }

    @Test("P2: a grant of before ends at the next look, and sudo at once, when sudo could outlive the role here")
    func withheld() async throws {
        #expect(await house.signIn(alice) == .allow)
        var request = house.accountRequest(alice, service: "sudoers")
        request.holdsAdministratorsGroup = true
        #expect(await house.access.accountStage.decide(request, callerPID: 99) == .allow)
        house.stamp.withhold(true)
        let refusal = await house.access.accountStage.decide(request, callerPID: 99).reason
        #expect(refusal == .stackNotVerified)
        await house.access.renewal.renew()
        #expect(house.grants.current().isEmpty)
        #expect(house.log.of(.withdrawn).contains { $0.message.contains("sudo's files") })
    }

    @Test("P1: in an outage a grant is never prolonged beyond the grace, and comes back with Azure")
    func outageLapses() async {
        #expect(await house.signIn(alice) == .allow)
        let end = hours(house, 3600)
        house.checker.script(alice.identity.objectID, outage)
        for _ in 0..<3 {
            house.time.advance(by: .seconds(900))
            await house.access.renewal.renew()
            #expect(house.grants.current() == [alice.uid: end])
        }
        house.time.advance(by: .seconds(1000))
        await house.access.renewal.renew()
        #expect(await house.access.status().administrators == 0)
        house.checker.script(alice.identity.objectID, role: .administrator)
        house.time.advance(by: .seconds(1800))
        await house.access.renewal.renew()
        #expect(house.grants.current() == [alice.uid: hours(house, 3600)])
    }

    @Test("Without a living session a grant lapses, and nobody is asked")
    func noSession() async {
        #expect(await house.signIn(alice) == .allow)
        let end = hours(house, 3600)
        house.processes.kill(House.sshd)
        house.time.advance(by: .seconds(900))
        await house.access.renewal.renew()
        #expect(house.grants.current() == [alice.uid: end])
        #expect(house.checker.questions.value.count == 1)
    }

    @Test("After a restart of the daemon the login service says who is still here")
    func inherited() async throws {
        let house = try House(standingGrants: [(alice, .seconds(1800))])
        house.accounts.set(alice.name, .enrolled(alice.enrolled()))
        house.checker.script(alice.identity.objectID, role: .administrator)
        await house.access.renewal.renew()
        #expect(house.checker.questions.value.isEmpty)
        house.processes.setLoginSession(alice.uid.number, true)
        await house.access.renewal.renew()
        #expect(house.grants.current() == [alice.uid: hours(house, 3600)])
        // A session of this run closes, but an older one, from before the daemon's start, may be open.
        #expect(await house.signIn(alice) == .allow)
        house.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: House.sshd)
        #expect(house.grants.current().count == 1)
    }

    @Test("Once what was inherited has ended, the grant ends with the last session again")
    func inheritedEnds() async throws {
        let house = try House(standingGrants: [(alice, .seconds(1800))])
        house.accounts.set(alice.name, .enrolled(alice.enrolled()))
        house.checker.script(alice.identity.objectID, role: .administrator)
        house.time.advance(by: .seconds(1800))
        #expect(await house.signIn(alice) == .allow)
        #expect(house.grants.current() == [alice.uid: hours(house, 3600)])
        house.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: House.sshd)
        #expect(house.grants.current().isEmpty)
    }

    @Test("A session that ends while Azure is asked does not get its grant back")
    func endsWhileAsking() async throws {
        #expect(await house.signIn(alice) == .allow)
        house.checker.script(alice.identity.objectID, .held)
        house.time.advance(by: .seconds(900))
        let renewal = house.access.renewal
        async let round: Void = renewal.renew()
        await house.checker.questions.wait { $0.count == 2 }
        house.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: House.sshd)
        #expect(house.grants.current().isEmpty)
        let question = try #require(house.checker.questions.value.last)
        house.checker.release(question, .answer(AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")))
        await round
        #expect(house.grants.current().isEmpty)
    }

    @Test("A grant of somebody who is retired, or whom nobody knows, ends")
    func retired() async throws {
        let house = try House(standingGrants: [(alice, .seconds(1800))])
        await house.access.renewal.renew()
        #expect(house.grants.current().isEmpty)
    }

    @Test("The loop looks four times in a lifetime")
    func loop() async {
        #expect(await house.signIn(alice) == .allow)
        house.access.renewal.start()
        await house.time.sleeping.wait { !$0.isEmpty }
        house.checker.script(alice.identity.objectID, role: .user)
        house.time.advance(by: .seconds(900))
        await house.log.records.wait { $0.contains { $0.event == .withdrawn } }
        #expect(house.grants.current().isEmpty)
    }
}
