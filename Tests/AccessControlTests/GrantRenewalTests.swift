// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite(.timeLimit(.minutes(15))) struct GrantRenewalTests {
    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.checker.script(alice.identity.objectID, role: .administrator)
    }

    private func hours(_ fixture: Fixture, _ seconds: Int) -> BootTime {
        fixture.time.bootTime().advanced(by: .seconds(seconds))
    }

    private var outage: ScriptedChecker.Line { .fault(AccessCheckFault(.unreachable, detail: "")) }

    @Test("An administrator with a living session stays one for longer than a grant's lifetime")
    func renews() async {
        #expect(await fixture.signIn(alice) == .allow)
        for _ in 0..<10 {
            fixture.time.advance(by: .seconds(900))
            await fixture.access.renewal.renew()
            #expect(fixture.grants.current() == [alice.uid: hours(fixture, 3600)])
        }
        #expect(fixture.checker.questions.value.count == 11)
    }

    @Test("P2: a role that was lowered or removed ends the grant at the next look", arguments: [Role.user, nil])
    func withdraws(role: Role?) async {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, role: role)
        fixture.time.advance(by: .seconds(900))
        await fixture.access.renewal.renew()
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.log.of(.withdrawn).count == 1)
    }

    @Test("P2: a grant of before ends at the next look, and sudo at once, when sudo could outlive the role here")
    func withheld() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        var request = fixture.accountRequest(alice, service: "sudoers")
        request.holdsAdministratorsGroup = true
        #expect(await fixture.access.accountStage.decide(request, callerPID: 99) == .allow)
        fixture.stamp.withhold(true)
        let refusal = await fixture.access.accountStage.decide(request, callerPID: 99).reason
        #expect(refusal == .stackNotVerified)
        await fixture.access.renewal.renew()
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.log.of(.withdrawn).contains { $0.message.contains("sudo's files") })
    }

    @Test("P1: in an outage a grant is never prolonged beyond the grace, and comes back with Azure")
    func outageLapses() async {
        #expect(await fixture.signIn(alice) == .allow)
        let end = hours(fixture, 3600)
        fixture.checker.script(alice.identity.objectID, outage)
        for _ in 0..<3 {
            fixture.time.advance(by: .seconds(900))
            await fixture.access.renewal.renew()
            #expect(fixture.grants.current() == [alice.uid: end])
        }
        fixture.time.advance(by: .seconds(1000))
        await fixture.access.renewal.renew()
        #expect(await fixture.access.status().administrators == 0)
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.time.advance(by: .seconds(1800))
        await fixture.access.renewal.renew()
        #expect(fixture.grants.current() == [alice.uid: hours(fixture, 3600)])
    }

    @Test("Without a living session a grant lapses, and nobody is asked")
    func noSession() async {
        #expect(await fixture.signIn(alice) == .allow)
        let end = hours(fixture, 3600)
        fixture.processes.kill(Fixture.sshd)
        fixture.time.advance(by: .seconds(900))
        await fixture.access.renewal.renew()
        #expect(fixture.grants.current() == [alice.uid: end])
        #expect(fixture.checker.questions.value.count == 1)
    }

    @Test("After a restart of the daemon the login service says who is still here")
    func inherited() async throws {
        let fixture = try Fixture(standingGrants: [(alice, .seconds(1800))])
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        await fixture.access.renewal.renew()
        #expect(fixture.checker.questions.value.isEmpty)
        fixture.processes.setLoginSession(alice.uid.number, true)
        await fixture.access.renewal.renew()
        #expect(fixture.grants.current() == [alice.uid: hours(fixture, 3600)])
        // This daemon's session closes, but a session from before the daemon's start may still be open.
        #expect(await fixture.signIn(alice) == .allow)
        fixture.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: Fixture.sshd)
        #expect(fixture.grants.current().count == 1)
    }

    @Test("Once what was inherited has ended, the grant ends with the last session again")
    func inheritedEnds() async throws {
        let fixture = try Fixture(standingGrants: [(alice, .seconds(1800))])
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.time.advance(by: .seconds(1800))
        #expect(await fixture.signIn(alice) == .allow)
        #expect(fixture.grants.current() == [alice.uid: hours(fixture, 3600)])
        fixture.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: Fixture.sshd)
        #expect(fixture.grants.current().isEmpty)
    }

    @Test("A session that ends while Azure is asked does not get its grant back")
    func endsWhileAsking() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, .held)
        fixture.time.advance(by: .seconds(900))
        let renewal = fixture.access.renewal
        async let round: Void = renewal.renew()
        await fixture.checker.questions.wait { $0.count == 2 }
        fixture.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: Fixture.sshd)
        #expect(fixture.grants.current().isEmpty)
        let question = try #require(fixture.checker.questions.value.last)
        fixture.checker.release(question, .answer(AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")))
        await round
        #expect(fixture.grants.current().isEmpty)
    }

    @Test("A grant of somebody who is retired, or whom nobody knows, ends")
    func retired() async throws {
        let fixture = try Fixture(standingGrants: [(alice, .seconds(1800))])
        await fixture.access.renewal.renew()
        #expect(fixture.grants.current().isEmpty)
    }

    @Test("The loop looks four times in a lifetime")
    func loop() async {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.access.renewal.start()
        await fixture.time.sleeping.wait { !$0.isEmpty }
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.time.advance(by: .seconds(900))
        await fixture.log.records.wait { $0.contains { $0.event == .withdrawn } }
        #expect(fixture.grants.current().isEmpty)
    }
}
