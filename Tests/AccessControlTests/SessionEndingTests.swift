// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import OpenSSHCertificates
import Testing

/// Which sessions end when a role is gone, a key is revoked, or root orders it; and which never do.
@Suite(.timeLimit(.minutes(15))) struct SessionEndingTests {
    private func fixture(after delay: Duration?) throws -> (Fixture, Person) {
        var settings = AccessSettings()
        settings.endSessionsAfter = delay
        let fixture = try Fixture(settings: settings)
        let alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .user)
        return (fixture, alice)
    }

    /// Signs in, and asks again after Azure's answer has changed.
    private func askAgain(_ fixture: Fixture, _ alice: Person, _ line: ScriptedChecker.Line) async {
        #expect(await fixture.signIn(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, line)
        fixture.time.advance(by: .seconds(600))
        _ = await fixture.sudo(alice)
    }

    private func no() -> ScriptedChecker.Line { .answer(AccessAnswer(role: nil, lifetime: nil, checker: "pas")) }

    @Test("P2: a final no ends everything of the account, once, with a record of why; EndSessions=no ends nothing")
    func roleGone() async throws {
        for delay in [nil, Duration.zero] {
            let (fixture, alice) = try fixture(after: delay)
            await askAgain(fixture, alice, no())
            await fixture.starter.settle()
            guard delay != nil else {
                #expect(fixture.ender.calls.value.isEmpty)
                continue
            }
            #expect(fixture.ender.calls.value == [.init(uid: alice.uid.number, cause: .roleGone)])
            let record = try #require(fixture.log.of(.sessionsEnded).first)
            #expect(record.reason == .roleNotAssigned && record.user == alice.name.text && record.priority == .notice)
        }
    }

    @Test("P1: an outage, a malformed answer and a refused identity end nothing; a lowered role neither")
    func noAnswer() async throws {
        for reason in [DenialReason.unreachable, .throttled, .malformedAnswer, .identityMayNotAsk] {
            let (fixture, alice) = try fixture(after: .zero)
            await askAgain(fixture, alice, .fault(AccessCheckFault(reason, detail: "")))
            await fixture.starter.settle()
            #expect(fixture.ender.calls.value.isEmpty, "\(reason)")
        }
        let (fixture, alice) = try fixture(after: .zero)
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        await askAgain(fixture, alice, .answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas")))
        await fixture.starter.settle()
        #expect(fixture.ender.calls.value.isEmpty)
    }

    @Test("EndSessionsAfter: Azure is asked again then; a yes takes the no back, silence does not")
    func delayed() async throws {
        let yes = ScriptedChecker.Line.answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas"))
        for (line, ends) in [(yes, false), (no(), true), (.fault(AccessCheckFault(.unreachable, detail: "")), true)] {
            let (fixture, alice) = try fixture(after: .seconds(900))
            await askAgain(fixture, alice, no())
            let end = fixture.time.bootTime().advanced(by: .seconds(900))
            await fixture.time.sleeping.wait { $0.contains(end) }
            #expect(fixture.ender.calls.value.isEmpty)
            fixture.checker.script(alice.identity.objectID, line)
            fixture.time.advance(by: .seconds(900))
            await fixture.starter.settle()
            #expect(fixture.ender.calls.value.count == (ends ? 1 : 0))
        }
    }

    @Test("Every user who is signed in is asked for at the renewal's interval, where sessions can end by it")
    func asked() async throws {
        for delay in [nil, Duration.zero] {
            let (fixture, alice) = try fixture(after: delay)
            #expect(await fixture.signIn(alice) == .allow)
            fixture.checker.script(alice.identity.objectID, role: nil)
            fixture.time.advance(by: .seconds(900))
            await fixture.access.renewal.renew()
            await fixture.starter.settle()
            #expect(fixture.ender.calls.value.count == (delay == nil ? 0 : 1))
        }
        // A session that is older than the daemon.
        let (fixture, alice) = try fixture(after: .zero)
        fixture.processes.setLoginSession(alice.uid.number, true)
        fixture.checker.script(alice.identity.objectID, role: nil)
        await fixture.access.renewal.renew()
        await fixture.starter.settle()
        #expect(fixture.ender.calls.value.count == 1)
    }

    @Test("P7: an account that stands aside for a local one is left alone")
    func aside() async throws {
        let (fixture, alice) = try fixture(after: .zero)
        #expect(await fixture.signIn(alice) == .allow)
        fixture.accounts.set(alice.name, .none(Denial(.localAccount)))
        fixture.checker.script(alice.identity.objectID, role: nil)
        fixture.time.advance(by: .seconds(600))
        _ = await fixture.access.authorizer.decide(
            alice.identity,
            under: DecisionDemand(maximumAge: .zero, deadline: fixture.time.bootTime().advanced(by: .seconds(8))),
            correlation: CountingRandom().correlationID()
        )
        await fixture.starter.settle()
        #expect(fixture.ender.calls.value.isEmpty)
    }

    @Test("P15: what still runs is an error, what runs as others a warning, a program that is silent a fault")
    func records() async throws {
        let (fixture, alice) = try fixture(after: nil)
        let id = CountingRandom().correlationID()
        let shell = OtherProcess(pid: 99, uid: 0, command: "ba\u{1b}sh")
        fixture.ender.set(.success(EndedProcesses(ended: 3, left: 0, others: [shell])))
        _ = await fixture.access.ending.end(alice.enrolled(), because: .command, correlation: id)
        fixture.ender.set(.success(EndedProcesses(ended: 3, left: 2, others: [])))
        _ = await fixture.access.ending.end(alice.enrolled(), because: .retired, correlation: id)
        fixture.ender.set(.success(EndedProcesses(ended: 0, left: 0, others: [])))
        _ = await fixture.access.ending.end(alice.enrolled(), because: .command, correlation: id)
        fixture.ender.set(.failure(.unseen))
        _ = await fixture.access.ending.end(alice.enrolled(), because: .command, correlation: id)
        let ended = fixture.log.of(.sessionsEnded)
        #expect(ended.map(\.priority) == [.warning, .error])
        #expect(ended[0].detail?.contains("(pid 99, uid 0)") == true && ended[0].detail?.contains("\u{1b}") == false)
        #expect(fixture.log.of(.fault).map(\.priority) == [.error])
    }

    @Test("P2: a list that cannot be used, and one that names nobody who is signed in, end nothing")
    func revoked() async throws {
        let (fixture, alice) = try fixture(after: nil)
        #expect(await fixture.signIn(alice) == .allow)
        // Key 9 is neither the key in alice's certificate nor her CA's key.
        try fixture.revocation.revoke([try Fixture.key(9)])
        await fixture.access.revokedSessions.look()
        fixture.revocation.spoil("damaged")
        await fixture.access.revokedSessions.look()
        #expect(fixture.ender.calls.value.isEmpty)
        // The control: a list that revokes the key in her certificate ends her session.
        try fixture.revocation.revoke([try Fixture.key(1)])
        await fixture.access.revokedSessions.look()
        #expect(fixture.ender.calls.value.count == 1)
    }
}
