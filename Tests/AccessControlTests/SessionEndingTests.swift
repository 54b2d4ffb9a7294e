// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import OpenSSHCertificates
import Testing

/// Which sessions end when a role is gone, a key is revoked, or root orders it; and which never do.
@Suite(.timeLimit(.minutes(15))) struct SessionEndingTests {
    private func house(after delay: Duration?) throws -> (House, Person) {
        var settings = AccessSettings()
        settings.endSessionsAfter = delay
        let house = try House(settings: settings)
        let alice = try Person("alice@contoso.com", 1)
        house.accounts.set(alice.name, .enrolled(alice.enrolled()))
        house.checker.script(alice.identity.objectID, role: .user)
        return (house, alice)
    }

    /// Signs in, and asks again after Azure's answer has changed.
    private func askAgain(_ house: House, _ alice: Person, _ line: ScriptedChecker.Line) async {
        #expect(await house.signIn(alice) == .allow)
        house.checker.script(alice.identity.objectID, line)
        house.time.advance(by: .seconds(600))
        _ = await house.sudo(alice)
    }

    private func no() -> ScriptedChecker.Line { .answer(AccessAnswer(role: nil, lifetime: nil, checker: "pas")) }

    @Test("P2: a final no ends everything of the account, once, with a record of why; EndSessions=no ends nothing")
    func roleGone() async throws {
        for delay in [nil, Duration.zero] {
            let (house, alice) = try house(after: delay)
            await askAgain(house, alice, no())
            await house.starter.settle()
            guard delay != nil else {
                #expect(house.ender.calls.value.isEmpty)
                continue
            }
            #expect(house.ender.calls.value == [.init(uid: alice.uid.number, cause: .roleGone)])
            let record = try #require(house.log.of(.sessionsEnded).first)
            #expect(record.reason == .roleNotAssigned && record.user == alice.name.text && record.priority == .notice)
        }
    }

    @Test("P1: an outage, a malformed answer and a refused identity end nothing; a lowered role neither")
    func noAnswer() async throws {
        for reason in [DenialReason.unreachable, .throttled, .malformedAnswer, .identityMayNotAsk] {
            let (house, alice) = try house(after: .zero)
            await askAgain(house, alice, .fault(AccessCheckFault(reason, detail: "")))
            await house.starter.settle()
            #expect(house.ender.calls.value.isEmpty, "\(reason)")
        }
        let (house, alice) = try house(after: .zero)
        house.checker.script(alice.identity.objectID, role: .administrator)
        await askAgain(house, alice, .answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas")))
        await house.starter.settle()
        #expect(house.ender.calls.value.isEmpty)
    }

    @Test("EndSessionsAfter: Azure is asked again then; a yes takes the no back, silence does not")
    func delayed() async throws {
        let yes = ScriptedChecker.Line.answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas"))
        for (line, ends) in [(yes, false), (no(), true), (.fault(AccessCheckFault(.unreachable, detail: "")), true)] {
            let (house, alice) = try house(after: .seconds(900))
            await askAgain(house, alice, no())
            let end = house.time.bootTime().advanced(by: .seconds(900))
            await house.time.sleeping.wait { $0.contains(end) }
            #expect(house.ender.calls.value.isEmpty)
            house.checker.script(alice.identity.objectID, line)
            house.time.advance(by: .seconds(900))
            await house.starter.settle()
            #expect(house.ender.calls.value.count == (ends ? 1 : 0))
        }
    }

    @Test("Every user who is signed in is asked for at the renewal's interval, where sessions can end by it")
    func asked() async throws {
        for delay in [nil, Duration.zero] {
            let (house, alice) = try house(after: delay)
            #expect(await house.signIn(alice) == .allow)
            house.checker.script(alice.identity.objectID, role: nil)
            house.time.advance(by: .seconds(900))
            await house.access.renewal.renew()
            await house.starter.settle()
            #expect(house.ender.calls.value.count == (delay == nil ? 0 : 1))
        }
        // A session that is older than the daemon.
        let (house, alice) = try house(after: .zero)
        house.processes.setLoginSession(alice.uid.number, true)
        house.checker.script(alice.identity.objectID, role: nil)
        await house.access.renewal.renew()
        await house.starter.settle()
        #expect(house.ender.calls.value.count == 1)
    }

    @Test("P7: an account that stands aside for a local one is left alone")
    func aside() async throws {
        let (house, alice) = try house(after: .zero)
        #expect(await house.signIn(alice) == .allow)
        house.accounts.set(alice.name, .none(Denial(.localAccount)))
        house.checker.script(alice.identity.objectID, role: nil)
        house.time.advance(by: .seconds(600))
        _ = await house.access.authorizer.decide(
            alice.identity,
            under: DecisionDemand(maximumAge: .zero, deadline: house.time.bootTime().advanced(by: .seconds(8))),
            correlation: CountingRandom().correlationID()
        )
        await house.starter.settle()
        #expect(house.ender.calls.value.isEmpty)
    }

    @Test("P15: what still runs is an error, what runs as others a warning, a program that is silent a fault")
    func records() async throws {
        let (house, alice) = try house(after: nil)
        let id = CountingRandom().correlationID()
        let shell = OtherProcess(pid: 99, uid: 0, command: "ba\u{1b}sh")
        house.ender.set(.success(EndedProcesses(ended: 3, left: 0, others: [shell])))
        _ = await house.access.ending.end(alice.enrolled(), because: .command, correlation: id)
        house.ender.set(.success(EndedProcesses(ended: 3, left: 2, others: [])))
        _ = await house.access.ending.end(alice.enrolled(), because: .retired, correlation: id)
        house.ender.set(.success(EndedProcesses(ended: 0, left: 0, others: [])))
        _ = await house.access.ending.end(alice.enrolled(), because: .command, correlation: id)
        house.ender.set(.failure(.unseen))
        _ = await house.access.ending.end(alice.enrolled(), because: .command, correlation: id)
        let ended = house.log.of(.sessionsEnded)
        #expect(ended.map(\.priority) == [.warning, .error])
        #expect(ended[0].detail?.contains("(pid 99, uid 0)") == true && ended[0].detail?.contains("\u{1b}") == false)
        #expect(house.log.of(.fault).map(\.priority) == [.error])
    }

    @Test("P2: a list that cannot be used, and one that names nobody who is signed in, end nothing")
    func revoked() async throws {
        let (house, alice) = try house(after: nil)
        #expect(await house.signIn(alice) == .allow)
        // The fake's certificates cannot be parsed, so no list revokes them: nothing ends.
        try house.revocation.revoke([try House.key(9)])
        await house.access.revokedSessions.look()
        house.revocation.spoil("damaged")
        await house.access.revokedSessions.look()
        #expect(house.ender.calls.value.isEmpty)
    }
}
