// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

/// Rounds in the background while Azure does not answer.
@Suite(.timeLimit(.minutes(15))) struct BackgroundPaceTests {
    private let fixture: Fixture
    private let people: [Person]

    /// Twenty administrators, each signed in.
    init() async throws {
        fixture = try Fixture()
        people = try (1...20).map { try Person("user\($0)@contoso.com", UInt32($0)) }
        for (index, person) in people.enumerated() {
            fixture.accounts.set(person.name, .enrolled(person.enrolled()))
            fixture.checker.script(person.identity.objectID, role: .administrator)
            #expect(await fixture.signIn(person, in: 5000 + Int32(index)) == .allow)
        }
    }

    private func script(_ line: ScriptedChecker.Line) {
        for person in people { fixture.checker.script(person.identity.objectID, line) }
    }

    private var outage: ScriptedChecker.Line { .fault(AccessCheckFault(.unreachable, detail: "no answer")) }
    private var yes: ScriptedChecker.Line { .answer(AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")) }

    private var asked: Int { fixture.checker.questions.value.count }

    /// The number of questions in one round, `seconds` after the previous step.
    private func round(after seconds: Int) async -> Int {
        fixture.time.advance(by: .seconds(seconds))
        let before = asked
        await fixture.access.renewal.renew()
        return asked - before
    }

    @Test("An outage is asked about once in a round, and in fewer and fewer rounds; half an hour passes at most")
    func backsOff() async {
        script(outage)
        // The first round asks as many as may be in flight at once, until one gets no answer.
        #expect(await (1...8).contains(round(after: 300)))
        var rounds: [Int] = []
        for _ in 0..<36 { rounds.append(await round(after: 300)) }
        #expect(Set(rounds) == [0, 1])
        let asking = rounds.indices.filter { rounds[$0] == 1 }
        let gaps = zip(asking, asking.dropFirst()).map { $1 - $0 }
        #expect(gaps == gaps.sorted() && gaps.allSatisfy { $0 <= 6 } && gaps.last ?? 0 >= 5, "\(gaps)")
        #expect(rounds.reduce(0, +) <= 10)
    }

    @Test("P1: a round that asks nobody still prolongs grants within the grace, and not beyond")
    func grace() async throws {
        var settings = AccessSettings()
        settings.offlineGrace = .seconds(4 * 3600)
        let fixture = try Fixture(settings: settings)
        let alice = people[0]
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await fixture.signIn(alice) == .allow)
        let end = fixture.time.bootTime().advanced(by: .seconds(4 * 3600))
        fixture.checker.script(alice.identity.objectID, outage)
        for _ in 0..<47 {
            fixture.time.advance(by: .seconds(300))
            await fixture.access.renewal.renew()
            let hour = fixture.time.bootTime().advanced(by: .seconds(3600))
            #expect(fixture.grants.current() == [alice.uid: min(end, hour)])
        }
        #expect(fixture.checker.questions.value.count < 15)
        fixture.time.advance(by: .seconds(300))
        await fixture.access.renewal.renew()
        #expect(await fixture.access.status().administrators == 0)
    }

    @Test("The first answer, for any user, brings the normal pace back")
    func anyAnswer() async {
        script(outage)
        for _ in 0..<8 { _ = await round(after: 300) }
        script(yes)
        fixture.time.advance(by: .seconds(10))
        #expect(await fixture.sudo(people[3], holdsGroup: true) == .allow)
        // All users except the one whose answer is fresh.
        #expect(await round(after: 10) == 19)
        #expect(await round(after: 300) == 20)
    }

    @Test("A round whose own question is answered goes on with everybody")
    func ownAnswer() async {
        script(outage)
        #expect(await (1...8).contains(round(after: 300)))
        script(yes)
        #expect(await round(after: 1800) == 20)
    }

    @Test("A person's own question is asked at once, whatever the rounds do")
    func ownQuestion() async {
        script(outage)
        for _ in 0..<8 { _ = await round(after: 300) }
        for person in people.prefix(3) {
            let before = asked
            _ = await fixture.sudo(person, holdsGroup: true)
            #expect(asked == before + 1)
        }
    }

    @Test("One person about whom Azure does not answer keeps nobody else from being asked about")
    func onePerson() async {
        fixture.checker.script(people[0].identity.objectID, .held)
        async let first = round(after: 300)
        await fixture.checker.questions.wait { $0.count >= 28 }
        let held = fixture.checker.questions.value.last { $0.objectID == people[0].identity.objectID }
        if let held { fixture.checker.release(held, outage) }
        #expect(await first == 20)
        fixture.checker.script(people[0].identity.objectID, outage)
        #expect(await round(after: 300) == 20)
    }

    @Test("P2: while role assignments alone do not answer, those who need none are asked about as ever")
    func confirmations() async {
        let fault = AccessCheckFault(.roleUnconfirmed, detail: "pas says no; throttled")
        for person in people.dropFirst(5) {
            fixture.checker.script(person.identity.objectID, unconfirmed: nil)
            fixture.checker.scriptConfirmation(
                person.identity.objectID,
                .answer(
                    AccessAnswer(role: .administrator, lifetime: nil, checker: "pas", confirmation: .overruled)
                )
            )
        }
        #expect(await round(after: 300) == 20)
        for person in people.dropFirst(5) {
            fixture.checker.scriptConfirmation(person.identity.objectID, .fault(fault))
        }
        _ = await round(after: 300)
        var counts: [Int] = []
        for _ in 0..<6 { counts.append(await round(after: 300)) }
        #expect(counts.allSatisfy { $0 == 5 || $0 == 6 } && counts.contains(5), "\(counts)")
        #expect(fixture.grants.current().count == 20)
        // A no of the role service still counts at once when the user asks.
        fixture.checker.script(people[9].identity.objectID, role: nil)
        #expect(await fixture.sudo(people[9], holdsGroup: true).reason == .roleNotAssigned)
        #expect(fixture.grants.current()[people[9].uid] == nil)
    }

    @Test("A question of a round is asked once; from the moment a user waits for it, it is retried")
    func retries() async throws {
        #expect(fixture.checker.questions.value.allSatisfy { $0.isRetried() }, "a sign-in's own question")
        fixture.checker.script(people[0].identity.objectID, .held)
        async let first = round(after: 300)
        await fixture.checker.questions.wait { $0.count >= 28 }
        let ofRound = fixture.checker.questions.value.suffix(8)
        #expect(ofRound.allSatisfy { !$0.isRetried() })
        let held = try #require(ofRound.last { $0.objectID == people[0].identity.objectID })
        async let verdict = fixture.sudo(people[0], holdsGroup: true)
        while !held.isRetried() { await Task.yield() }
        fixture.checker.release(held, yes)
        #expect(await verdict == .allow)
        #expect(await first == 20)
    }

    @Test("P1: a round's question without an answer keeps no user from asking with retries the moment after")
    func noPause() async {
        script(outage)
        _ = await round(after: 300)
        script(yes)
        let failed = fixture.checker.questions.value.suffix(8).map(\.objectID)
        for person in people where failed.contains(person.identity.objectID) {
            #expect(await fixture.sudo(person, holdsGroup: true) == .allow)
        }
    }
}
