// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity

/// The phases of a run, in virtual time.
enum Phase: String, CaseIterable {
    case start = "start: every machine boots within two minutes"
    case ordinary = "an ordinary hour"
    case rollout = "a roll-out: ten automations, every machine, ten minutes"
    case outage = "an outage of an hour: 503 for everything"
    case after = "the ten minutes after it"
    case later = "the rest of the day"

    private static let hour = 3600

    var seconds: Range<Int> {
        switch self {
        case .start: 0..<1800
        case .ordinary: Self.hour..<2 * Self.hour
        case .rollout: 2 * Self.hour..<2 * Self.hour + 900
        case .outage: 3 * Self.hour..<4 * Self.hour
        case .after: 4 * Self.hour..<4 * Self.hour + 600
        case .later: 4 * Self.hour + 600..<26 * Self.hour
        }
    }

    static let people = Phase.ordinary.seconds.lowerBound..<5 * Phase.hour
    static let end = Phase.later.seconds.upperBound

    static func of(_ time: Duration) -> Phase? {
        let second = Int(time.components.seconds)
        return allCases.first { $0.seconds.contains(second) }
    }
}

/// Machines, people and Azure over 26 hours, and what was measured.
final class Fleet: @unchecked Sendable {
    // Unchecked: on the loop's thread only.

    /// Attempts to sign in or to use sudo.
    struct Tally {
        var admitted = 0
        var refused = 0
        var delays: [Double] = []

        /// The seconds within which `share` of the admitted attempts were answered.
        func delay(_ share: Double) -> Double {
            guard !delays.isEmpty else { return 0 }
            return delays.sorted()[min(delays.count - 1, Int(Double(delays.count) * share))]
        }

        var admittedShare: Double { admitted + refused == 0 ? 1 : Double(admitted) / Double(admitted + refused) }
    }

    let loop = VirtualLoop()
    let azure: VirtualAzure
    private let members: [any FleetMember]
    private let peopleCount: Int
    private let session: Double
    private let isShort: Bool
    private(set) var tallies: [Phase: Tally] = [:]
    /// At the end of the ordinary hour.
    private(set) var openSessions = 0
    /// By minute since the start.
    private var minutes: [Int: Tally] = [:]

    /// What is simulated.
    struct Plan {
        var machines = 10_000
        var people = 2_000
        var isNaive = false
        var isARMThrottled = false
        var expandsGroups = false
        /// Seconds that a person stays signed in; 0: there are no questions in the background.
        var session = 0.0
        /// Seconds between two questions about a signed-in user who is no administrator.
        var userInterval = 900.0
        /// The run ends ten minutes after the outage.
        var isShort = false
    }

    init(_ plan: Plan) throws {
        var limits = VirtualAzure.Limits()
        limits.isARMThrottled = plan.isARMThrottled
        let outage = Phase.outage.seconds
        limits.outage = .seconds(outage.lowerBound)..<Duration.seconds(outage.upperBound)
        azure = VirtualAzure(loop: loop, limits: limits)
        azure.expandsGroups = plan.expandsGroups
        let azure = azure
        members = try (0..<plan.machines).map { number -> any FleetMember in
            if plan.isNaive { return NaiveMachine(number, azure: azure) }
            return try FleetMachine(number, azure: azure, userInterval: .seconds(plan.userInterval))
        }
        peopleCount = plan.people
        session = plan.session
        isShort = plan.isShort
    }

    /// The phases that are simulated.
    var phases: [Phase] { isShort ? Phase.allCases.filter { $0 != .later } : Phase.allCases }

    func run() {
        let random = SeededRandom(1)
        for member in members {
            let boot = 120 * random.fraction()
            loop.start { [self] in
                await loop.sleep(boot)
                member.start()
            }
        }
        for person in 0..<peopleCount { loop.start { [self] in await live(person) } }
        for automation in 0..<10 { loop.start { [self] in await rollOut(peopleCount + automation) } }
        loop.start { [self] in
            await loop.sleep(Double(Phase.ordinary.seconds.upperBound))
            openSessions = members.map(\.openSessions).reduce(0, +)
        }
        loop.run(until: .seconds(isShort ? Phase.after.seconds.upperBound : Phase.end))
    }

    /// A person signs in about every ten minutes, four times out of five to one of five usual machines, and stays
    /// signed in. After half of the sign-ins the person uses sudo.
    private func live(_ person: Int) async {
        let random = SeededRandom(UInt64(person) &+ 2_000_000)
        await loop.sleep(Double(Phase.people.lowerBound) + 600 * random.fraction())
        while loop.now < .seconds(Phase.people.upperBound) {
            let isUsual = random.fraction() < 0.8
            let member = members[isUsual ? (person * 5 + random.below(5)) % members.count : random.below(members.count)]
            if await isIn(person, member, random, session: session), random.fraction() < 0.5 {
                await loop.sleep(60 + 120 * random.fraction())
                note(await member.decide(person, age: .seconds(60), session: 0), since: loop.now)
            }
            await loop.sleep(300 + 600 * random.fraction())
        }
    }

    private func rollOut(_ automation: Int) async {
        let random = SeededRandom(UInt64(automation) &+ 3_000_000)
        let start = Double(Phase.rollout.seconds.lowerBound)
        for (index, member) in members.enumerated() {
            let at = start + 600 * (Double(index) + random.fraction()) / Double(members.count)
            loop.start { [self] in
                await loop.sleep(until: BootTime(sinceBoot: .seconds(at)))
                _ = await isIn(automation, member, random, session: min(60, session))
            }
        }
    }

    /// Tries up to three times, half a minute apart, as people and programs do.
    private func isIn(
        _ person: Int,
        _ member: any FleetMember,
        _ random: SeededRandom,
        session: Double
    ) async -> Bool {
        for _ in 0..<3 {
            let began = loop.now
            let outcome = await member.decide(person, age: .seconds(300), session: session)
            note(outcome, since: began)
            if outcome == .admitted { return true }
            await loop.sleep(20 + 20 * random.fraction())
        }
        return false
    }

    private func note(_ outcome: Outcome, since began: Duration) {
        let delay = began.distance(to: loop.now).inSeconds
        func add(_ tally: inout Tally) {
            if outcome == .admitted {
                tally.admitted += 1
                tally.delays.append(delay)
            } else {
                tally.refused += 1
            }
        }
        if let phase = Phase.of(began) { add(&tallies[phase, default: Tally()]) }
        add(&minutes[Int(began.components.seconds) / 60, default: Tally()])
    }

    /// The highest and the average number of requests a second in a phase.
    func load(_ endpoint: Endpoint, in phase: Phase) -> (peak: Int, mean: Double) {
        let row = azure.asked[endpoint] ?? []
        let counts = phase.seconds.map { $0 < row.count ? row[$0] : 0 }
        return (counts.max() ?? 0, Double(counts.reduce(0, +)) / Double(counts.count))
    }

    /// Minute by minute up to the last phase's end: requests a second at each endpoint, attempts and those admitted, as
    /// CSV.
    var series: String {
        let last = (phases.last?.seconds.upperBound ?? 0) / 60
        let endpoints = [Endpoint.pas, .arm, .login]
        let head = "minute," + endpoints.map(\.rawValue).joined(separator: ",") + ",attempts,admitted\n"
        return (0..<last).reduce(into: head) { text, minute in
            let loads = endpoints.map { endpoint -> String in
                let asked = (azure.asked[endpoint] ?? []).dropFirst(60 * minute).prefix(60).reduce(0, +)
                return hundredths(Double(asked) / 60)
            }
            let tally = minutes[minute] ?? Tally()
            let row = ["\(minute)"] + loads + ["\(tally.admitted + tally.refused)", "\(tally.admitted)"]
            text += row.joined(separator: ",") + "\n"
        }
    }

    /// Minutes after the outage until 99 of 100 attempts succeed for the first time; nil: not within two hours.
    var minutesUntilWell: Int? {
        let end = Phase.outage.seconds.upperBound / 60
        return (0..<120).first { offset in minutes[end + offset].map { $0.admittedShare >= 0.99 } ?? false }
    }
}
