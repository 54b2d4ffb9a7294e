// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

/// Rounds in the background while Azure does not answer.
@Suite(.timeLimit(.minutes(15))) struct BackgroundPaceTests {
    private let house: House
    private let people: [Person]

    /// Twenty administrators, each signed in.
    init() async throws {
        house = try House()
        people = try (1...20).map { try Person("user\($0)@contoso.com", UInt32($0)) }
        for (index, person) in people.enumerated() {
            house.accounts.set(person.name, .enrolled(person.enrolled()))
            house.checker.script(person.identity.objectID, role: .administrator)
            #expect(await house.signIn(person, in: 5000 + Int32(index)) == .allow)
        }
    }

    private func script(_ line: ScriptedChecker.Line) {
        for person in people { house.checker.script(person.identity.objectID, line) }
    }

    private var outage: ScriptedChecker.Line { .fault(AccessCheckFault(.unreachable, detail: "no answer")) }
    private var yes: ScriptedChecker.Line { .answer(AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")) }

    private var asked: Int { house.checker.questions.value.count }

    /// The number of questions in one round, `seconds` after the previous step.
    private func round(after seconds: Int) async -> Int {
        house.time.advance(by: .seconds(seconds))
        let before = asked
        await house.access.renewal.renew()
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
        let house = try House(settings: settings)
        let alice = people[0]
        house.accounts.set(alice.name, .enrolled(alice.enrolled()))
        house.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await house.signIn(alice) == .allow)
        let end = house.time.bootTime().advanced(by: .seconds(4 * 3600))
        house.checker.script(alice.identity.objectID, outage)
        for _ in 0..<47 {
            house.time.advance(by: .seconds(300))
            await house.access.renewal.renew()
            let hour = house.time.bootTime().advanced(by: .seconds(3600))
            #expect(house.grants.current() == [alice.uid: min(end, hour)])
        }
        #expect(house.checker.questions.value.count < 15)
        house.time.advance(by: .seconds(300))
        await house.access.renewal.renew()
        #expect(await house.access.status().administrators == 0)
    }

    @Test("The first answer, for any user, brings the normal pace back")
    func anyAnswer() async {
        script(outage)
        for _ in 0..<8 { _ = await round(after: 300) }
        script(yes)
        house.time.advance(by: .seconds(10))
        #expect(await house.sudo(people[3], holdsGroup: true) == .allow)
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
            _ = await house.sudo(person, holdsGroup: true)
            #expect(asked == before + 1)
        }
    }

    @Test("One person about whom Azure does not answer keeps nobody else from being asked about")
    func onePerson() async {
        house.checker.script(people[0].identity.objectID, .held)
        async let first = round(after: 300)
        await house.checker.questions.wait { $0.count >= 28 }
        let held = house.checker.questions.value.last { $0.objectID == people[0].identity.objectID }
        if let held { house.checker.release(held, outage) }
        #expect(await first == 20)
        house.checker.script(people[0].identity.objectID, outage)
        #expect(await round(after: 300) == 20)
    }

    @Test("P2: while role assignments alone do not answer, those who need none are asked about as ever")
    func confirmations() async {
        let fault = AccessCheckFault(.roleUnconfirmed, detail: "pas says no; throttled")
        for person in people.dropFirst(5) {
            house.checker.script(person.identity.objectID, unconfirmed: nil)
            house.checker.scriptConfirmation(
                person.identity.objectID,
                .answer(
                    AccessAnswer(role: .administrator, lifetime: nil, checker: "pas", confirmation: .overruled)
                )
            )
        }
        #expect(await round(after: 300) == 20)
        for person in people.dropFirst(5) { house.checker.scriptConfirmation(person.identity.objectID, .fault(fault)) }
        _ = await round(after: 300)
        var counts: [Int] = []
        for _ in 0..<6 { counts.append(await round(after: 300)) }
        #expect(counts.allSatisfy { $0 == 5 || $0 == 6 } && counts.contains(5), "\(counts)")
        #expect(house.grants.current().count == 20)
        // A no of the role service still counts at once when the user asks.
        house.checker.script(people[9].identity.objectID, role: nil)
        #expect(await house.sudo(people[9], holdsGroup: true).reason == .roleNotAssigned)
        #expect(house.grants.current()[people[9].uid] == nil)
    }

    @Test("A question of a round is asked once; from the moment a user waits for it, it is retried")
    func retries() async throws {
        #expect(house.checker.questions.value.allSatisfy { $0.isRetried() }, "a sign-in's own question")
        house.checker.script(people[0].identity.objectID, .held)
        async let first = round(after: 300)
        await house.checker.questions.wait { $0.count >= 28 }
        let ofRound = house.checker.questions.value.suffix(8)
        #expect(ofRound.allSatisfy { !$0.isRetried() })
        let held = try #require(ofRound.last { $0.objectID == people[0].identity.objectID })
        async let verdict = house.sudo(people[0], holdsGroup: true)
        while !held.isRetried() { await Task.yield() }
        house.checker.release(held, yes)
        #expect(await verdict == .allow)
        #expect(await first == 20)
    }

    @Test("P1: a round's question without an answer keeps no user from asking with retries the moment after")
    func noPause() async {
        script(outage)
        _ = await round(after: 300)
        script(yes)
        let failed = house.checker.questions.value.suffix(8).map(\.objectID)
        for person in people where failed.contains(person.identity.objectID) {
            #expect(await house.sudo(person, holdsGroup: true) == .allow)
        }
    }
}
