// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// The record of each access checker: whether it serves, until when it asked not to be called, and how fast it was.
final class CheckerRecords: Sendable {
    /// The longest `Retry-After` of a service that is respected.
    private static let longestSilence = Duration.seconds(300)

    private struct Record {
        var standing: Standing = .untried
        var latency: Duration?
        var answeredAt: BootTime?
        /// It has answered since the start: if it cannot be reached now, that is an outage.
        var hasServed = false
    }

    private enum Standing {
        case untried
        case serving
        case notServing(EndpointFault, until: BootTime)
        case failing(AccessCheckFault, silentUntil: BootTime?)
    }

    private let environment: AzureEnvironment
    private let records = Mutex<[String: Record]>([:])

    init(_ environment: AzureEnvironment) { self.environment = environment }

    /// Clears the records, except for which checkers have served.
    func forget() { records.withLock { $0 = $0.mapValues { Record(hasServed: $0.hasServed) } } }

    func noteAnswer(of name: String, since start: BootTime) { note(.serving, of: name, since: start) }

    func note(_ error: EndpointFault, of name: String, since start: BootTime) {
        let now = environment.time.bootTime()
        if case .notServed(let period) = error.kind {
            let wait = period * (0.8 + 0.4 * environment.jitter())
            return note(.notServing(error, until: now.advanced(by: wait)), of: name, since: start)
        }
        let silence = error.fault.retryAfter.map { min($0, Self.longestSilence) * (1 + environment.jitter() / 5) }
        note(.failing(error.fault, silentUntil: silence.map { now.advanced(by: $0) }), of: name, since: start)
    }

    private func note(_ standing: Standing, of name: String, since start: BootTime) {
        let now = environment.time.bootTime()
        records.withLock { records in
            var record = records[name] ?? Record()
            record.standing = standing
            record.latency = start.duration(to: now)
            record.answeredAt = now
            if case .serving = standing { record.hasServed = true }
            records[name] = record
        }
    }

    func hasServed(_ name: String) -> Bool { records.withLock { $0[name]?.hasServed ?? false } }

    /// Why the checker is skipped now; nil if it is not.
    func passedOver(_ name: String, at now: BootTime) -> EndpointFault? {
        records.withLock { records in
            guard case .notServing(let fault, let until) = records[name]?.standing, now < until else { return nil }
            return fault
        }
    }

    /// While Azure's `Retry-After` runs: the fault, with the time that is left.
    func silence(of name: String, at now: BootTime) -> AccessCheckFault? {
        records.withLock { records in
            guard case .failing(var fault, .some(let until)) = records[name]?.standing, now < until else { return nil }
            fault.retryAfter = now.duration(to: until)
            return fault
        }
    }

    /// The fault of a checker that does not serve; nil for any other.
    func notServing(_ name: String) -> AccessCheckFault? {
        records.withLock { records in
            guard case .notServing(let error, _) = records[name]?.standing else { return nil }
            return error.fault
        }
    }

    func status(of name: String) -> AzureStatus.Checker {
        let now = environment.time.bootTime()
        let record = records.withLock { $0[name] } ?? Record()
        let standing: AzureStatus.Checker.Standing =
            switch record.standing {
            case .untried: .untried
            case .serving: .serving
            case .notServing(let error, let until): .notServing(error.fault, wait: max(.zero, now.duration(to: until)))
            case .failing(let fault, _): .failing(fault)
            }
        let age = record.answeredAt.map { $0.duration(to: now) }
        return AzureStatus.Checker(name: name, standing: standing, latency: record.latency, age: age)
    }
}
