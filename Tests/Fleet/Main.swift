// SPDX-License-Identifier: Apache-2.0

import Glibc

@main
struct Main {
    static func main() { exit(simulate(Array(CommandLine.arguments.dropFirst()))) }
}

private let usage = """
    usage: fleet [--machines N] [--people N] [--session SECONDS] [--user-round SECONDS] [--naive] [--throttled]
                 [--groups] [--short] [--check] [--series FILE]

    """

/// Prints the figures in a table; with `--check`, fails if they are beyond those of Documentation/performance.md.
private nonisolated func simulate(_ arguments: [String]) -> Int32 {
    var plan = Fleet.Plan()
    var isChecked = false
    var series: String?
    var rest = arguments[...]
    while let argument = rest.popFirst() {
        switch argument {
        case "--machines": plan.machines = rest.popFirst().flatMap { Int($0) } ?? plan.machines
        case "--people": plan.people = rest.popFirst().flatMap { Int($0) } ?? plan.people
        case "--session": plan.session = rest.popFirst().flatMap { Double($0) } ?? plan.session
        case "--user-round": plan.userInterval = rest.popFirst().flatMap { Double($0) } ?? plan.userInterval
        // Without the rest of the day.
        case "--short": plan.isShort = true
        case "--naive": plan.isNaive = true
        // ARM answers one request in twenty; checkaccess expands groups, as the hints ask.
        case "--throttled": plan.isARMThrottled = true
        case "--groups": plan.expandsGroups = true
        case "--check": isChecked = true
        // The data that .ci/plots draws.
        case "--series": series = rest.popFirst()
        default:
            print(usage)
            return 2
        }
    }
    do {
        let fleet = try Fleet(plan)
        fleet.run()
        let how = plan.isNaive ? "naive retries" : "the daemon's own code"
        print("\(plan.machines) machines, \(plan.people) people, sessions of \(Int(plan.session)) s, \(how)")
        show(fleet)
        if let series { try write(fleet.series, to: series) }
        return isChecked ? verdict(fleet) : 0
    } catch {
        print("fleet: \(error)")
        return 1
    }
}

private nonisolated func show(_ fleet: Fleet) {
    print("requests a second at the endpoints, peak and mean; then attempts, those admitted, and their delay")
    for phase in fleet.phases {
        let loads = [Endpoint.pas, .arm, .login].map { endpoint in
            let (peak, mean) = fleet.load(endpoint, in: phase)
            return "\(endpoint.rawValue) \(peak) \(hundredths(mean))"
        }
        let tally = fleet.tallies[phase] ?? Fleet.Tally()
        let share = "\(tally.admitted + tally.refused), \(hundredths(100 * tally.admittedShare)) %"
        let delays = "median \(hundredths(tally.delay(0.5))) s, p99 \(hundredths(tally.delay(0.99))) s"
        print("\(phase.rawValue)\n    \(loads.joined(separator: "; "))\n    \(share), \(delays)")
    }
    print("sessions open after the ordinary hour: \(fleet.openSessions)")
    print(
        "well again after the outage: \(fleet.minutesUntilWell.map { "within minute \($0 + 1)" } ?? "not in two hours")"
    )
}

private nonisolated func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw SeriesFailure(path: path) }
    defer { fclose(file) }
    guard fputs(text, file) >= 0, fflush(file) == 0 else { throw SeriesFailure(path: path) }
}

private struct SeriesFailure: Error {
    let path: String
}

nonisolated func hundredths(_ number: Double) -> String {
    let hundred = Int((number * 100).rounded())
    let rest = hundred % 100
    return "\(hundred / 100).\(rest < 10 ? "0" : "")\(rest)"
}

/// The limits for 10,000 machines and 2,000 people, with some room, with and without rounds over open sessions.
private nonisolated func verdict(_ fleet: Fleet) -> Int32 {
    let checks = [
        ("an ordinary hour is answered at once", (fleet.tallies[.ordinary]?.delay(0.99) ?? 9) < 1),
        ("an ordinary hour admits everybody", (fleet.tallies[.ordinary]?.admittedShare ?? 0) == 1),
        ("an outage does not multiply what PAS is asked", fleet.load(.pas, in: .outage).mean < 60),
        ("an outage does not multiply what Entra is asked for keys", fleet.load(.login, in: .outage).mean < 80),
        ("the end of an outage is no storm", fleet.load(.pas, in: .after).peak < 100),
        ("confirming refusals stays below ARM's limit in an ordinary hour", fleet.load(.arm, in: .ordinary).peak < 375),
        ("keys, two documents an hour, cost Entra little", fleet.load(.login, in: .ordinary).mean < 8),
        ("all is well within two minutes", (fleet.minutesUntilWell ?? 99) < 2),
    ]
    for (sentence, holds) in checks { print("\(holds ? "ok    " : "BEYOND") \(sentence)") }
    return checks.allSatisfy(\.1) ? 0 : 1
}
