// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing

@testable import AccessControl

/// Jobs before Azure's first answer (P9, P17).
@Suite(.timeLimit(.minutes(15))) struct BatchStartsTests {
    private let fixture: Fixture
    private let alice: Person
    private let bob: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        bob = try Person("bob@contoso.com", 2)
        for person in [alice, bob] {
            fixture.accounts.set(person.name, .enrolled(person.enrolled()))
            fixture.checker.script(person.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "")))
        }
    }

    private func ask(_ person: Person, _ service: String = "cron", waits: Bool = true) async -> StageVerdict {
        var request = fixture.accountRequest(person, service: service)
        request.waits = waits
        let verdict = await fixture.access.accountStage.decide(request, callerPID: 5)
        await fixture.starter.settle()
        return verdict
    }

    private func script(_ person: Person, role: Role?) { fixture.checker.script(person.identity.objectID, role: role) }

    private let pauseAfterFault = Duration.seconds(4)

    @Test(
        "P9: a job waits for the first answer about its user, unrecorded, and gets it",
        arguments: ["cron", "systemd-user"]
    )
    func first(service: String) async {
        #expect(await ask(alice, service) == .pending)
        #expect(await ask(alice, service) == .pending)
        #expect(fixture.log.of(.account).isEmpty && fixture.checker.questions.value.count == 1)
        // An answer about another user does not count for alice.
        script(bob, role: .user)
        _ = await ask(bob, service)
        #expect(await ask(bob, service) == .allow)
        #expect(await ask(alice, service) == .pending)
        script(alice, role: .user)
        fixture.time.advance(by: pauseAfterFault)
        _ = await ask(alice, service)
        #expect(await ask(alice, service) == .allow)
    }

    @Test("P2: a no ends the wait, and nothing starts on an old yes after it")
    func refused() async {
        script(alice, role: .user)
        _ = await ask(alice)
        #expect(await ask(alice) == .allow)
        script(alice, role: nil)
        fixture.time.advance(by: .seconds(301))
        _ = await ask(alice)
        #expect(await ask(alice).reason == .roleNotAssigned)
        fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "")))
        fixture.time.advance(by: .seconds(3600))
        #expect(await ask(alice, "systemd-user").reason == .roleNotAssigned)
        // A no for another program also counts as the first answer.
        let answer = AccessAnswer(role: nil, lifetime: nil, checker: "pas")
        let objectID = bob.identity.objectID
        let correlation = fixture.access.correlationID()
        await fixture.access.authorizer.takeRefusal(answer, of: objectID, on: fixture.machine, correlation: correlation)
        #expect(await ask(bob).reason == .roleNotAssigned)
    }

    @Test("P9: only before the first answer: not when it is too old, nor without the flag, nor for a sign-in")
    func onlyFirst() async {
        #expect(await ask(alice, waits: false).reason == .noRecentDecision)
        script(alice, role: .user)
        fixture.time.advance(by: pauseAfterFault)
        _ = await ask(alice)
        #expect(await ask(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "")))
        fixture.time.advance(by: .seconds(90_000))
        #expect(await ask(alice).reason == .noRecentDecision)
        await fixture.access.authorizer.flush()
        #expect(await ask(alice).reason == .noRecentDecision)
        #expect(await ask(bob, "login").reason == .unreachable)
    }

    @Test(
        "P17: what waited in vain is a warning that says what is not tried again",
        arguments: [("cron", "@reboot"), ("atd", "not run it again"), ("systemd-user", "when Azure says yes")]
    )
    func reported(service: String, words: String) async {
        #expect(await ask(alice, service) == .pending)
        #expect(await ask(alice, service, waits: false).reason == .noRecentDecision)
        let record = fixture.log.of(.account).last
        #expect(record?.priority == .warning && record?.verdict == .deny)
        #expect(record?.detail?.contains(words) == true && record?.service == service)
    }

    @Test(
        "P17: lingering managers are started at the first answer, and when Azure allows an account whose manager was refused"
    )
    func announcement() async {
        let words = Watched(0)
        let starts = BatchStarts { words.update { $0 += 1 } }
        let (alice, bob) = (alice.identity, bob.identity)
        starts.noteAnswer(about: bob, isAllowed: false)
        #expect(words.value == 1)
        starts.noteAnswer(about: alice, isAllowed: true)
        #expect(words.value == 1 && !starts.isSomebodyRefused)
        starts.noteRefusal(bob)
        starts.noteAnswer(about: bob, isAllowed: false)
        starts.noteAnswer(about: alice, isAllowed: true)
        #expect(words.value == 1 && starts.isSomebodyRefused)
        starts.noteAnswer(about: bob, isAllowed: true)
        #expect(words.value == 2 && !starts.isSomebodyRefused)
        starts.noteAnswer(about: bob, isAllowed: true)
        #expect(words.value == 2)
    }

    @Test(
        "P17: about a manager that was refused in an outage Azure is asked at least every ten minutes, and its yes starts it"
    )
    func later() async throws {
        let words = Watched(0)
        let fixture = try Fixture(announceAnswer: { words.update { $0 += 1 } })
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "")))
        let request = fixture.accountRequest(alice, service: "systemd-user")
        #expect(await fixture.access.accountStage.decide(request, callerPID: 5).reason == .noRecentDecision)
        await fixture.starter.settle()
        fixture.access.batchRefresh.start()
        for pause in [60, 120, 240, 480, 600, 600] {
            let now = fixture.time.bootTime()
            let range = now.advanced(by: .seconds(Double(pause) * 0.9))...now.advanced(by: .seconds(pause))
            await fixture.time.sleeping.wait { times in times.contains { range.contains($0) } }
            fixture.time.advance(by: .seconds(pause))
        }
        let now = fixture.time.bootTime()
        await fixture.time.sleeping.wait { times in times.contains { $0 > now.advanced(by: .seconds(500)) } }
        #expect(words.value == 0)
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.time.advance(by: .seconds(600))
        await words.wait { $0 == 1 }
        #expect(await fixture.access.accountStage.decide(request, callerPID: 5) == .allow)
    }

    @Test(
        "A user manager starts with the role by which its user signs in, while role assignments are still being asked"
    )
    func announced() async {
        fixture.checker.script(alice.identity.objectID, unconfirmed: .user)
        fixture.checker.scriptConfirmation(alice.identity.objectID, .held)
        var request = fixture.accountRequest(alice, service: "systemd-user")
        request.waits = true
        #expect(await fixture.access.accountStage.decide(request, callerPID: 5) == .pending)
        await fixture.checker.confirmations.wait { $0.count == 1 }
        #expect(await fixture.access.accountStage.decide(request, callerPID: 5) == .allow)
    }

    @Test("P13: answers that are remembered are bounded; nobody waits for more")
    func bounded() throws {
        let starts = BatchStarts {}
        for number in 1...BatchStarts.limit {
            let identity = try Person("p@contoso.com", UInt32(number)).identity
            #expect(!starts.hasAnswer(about: identity))
            starts.noteAnswer(about: identity, isAllowed: true)
        }
        #expect(starts.hasAnswer(about: try Person("p@contoso.com", UInt32(BatchStarts.limit + 1)).identity))
    }
}
