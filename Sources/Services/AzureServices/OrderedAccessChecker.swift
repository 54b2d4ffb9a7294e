// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity
internal import Synchronization

/// Asks the endpoints in the configured order (contract, chapter 4):
/// - a decision is final, above all a "no" (P2);
/// - an endpoint that does not serve the question is passed over, now and for a while;
/// - one that serves but has no answer ends the question: nobody gets in, and nobody else is asked.
package final class OrderedAccessChecker: AccessChecker {
    /// The least time one attempt gets.
    private static let leastAttemptTime = Duration.seconds(1)
    /// The most, while others are left: a question goes on for longer than a person at sshd's door waits for it.
    private static let longestAttemptTime = Duration.seconds(4)
    /// The longest that a service may silence us by one `Retry-After`.
    private static let longestSilence = Duration.seconds(300)

    private struct Record {
        var standing: Standing = .untried
        var latency: Duration?
        var answeredAt: BootTime?
        /// It has given a decision since the start: where it cannot be reached now, that is an outage.
        var hasServed = false
    }

    private enum Standing {
        case untried
        case serving
        case notServing(AccessCheckFault, until: BootTime)
        case failing(AccessCheckFault, silentUntil: BootTime?)
    }

    private let checkers: [any EndpointChecker]
    private let environment: AzureEnvironment
    private let records = Mutex<[String: Record]>([:])

    /// `checkers` in the order of the setting `AccessCheckers=`, each name once.
    package init(_ checkers: [any EndpointChecker], environment: AzureEnvironment) {
        self.checkers = checkers
        self.environment = environment
    }

    package func check(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccessAnswer {
        let asked = checkersToAsk(at: environment.time.bootTime())
        for (index, checker) in asked.enumerated() {
            if let fault = silence(of: checker.name) { throw withThoseSetAside(fault) }
            do throws(EndpointFault) {
                return try await ask(checker, question, othersLeft: asked.count - 1 - index)
            } catch {
                guard error.isNotServed else { throw withThoseSetAside(error.fault) }
            }
        }
        throw nobodyServes()
    }

    /// Asks one checker alone, whatever is remembered of it: `check --via`.
    package func check(_ question: AccessQuestion, via name: String) async throws(AccessCheckFault) -> AccessAnswer {
        guard let checker = checkers.first(where: { $0.name == name }) else {
            throw AccessCheckFault(.unsupported, detail: "no access checker of that name is configured")
        }
        do throws(EndpointFault) { return try await ask(checker, question, othersLeft: 0) } catch { throw error.fault }
    }

    /// Forgets who does not serve: the next question asks all again.
    package func forget() { records.withLock { $0 = [:] } }

    /// In the configured order.
    package var status: [AzureStatus.Checker] {
        let now = environment.time.bootTime()
        return records.withLock { records in
            checkers.map { checker in
                let record = records[checker.name] ?? Record()
                let standing: AzureStatus.Checker.Standing =
                    switch record.standing {
                    case .untried: .untried
                    case .serving: .serving
                    case .notServing(let fault, let until):
                        .notServing(fault, wait: max(.zero, now.duration(to: until)))
                    case .failing(let fault, _): .failing(fault)
                    }
                let age = record.answeredAt.map { $0.duration(to: now) }
                return AzureStatus.Checker(name: checker.name, standing: standing, latency: record.latency, age: age)
            }
        }
    }

    private func ask(
        _ checker: any EndpointChecker,
        _ question: AccessQuestion,
        othersLeft: Int
    ) async throws(EndpointFault) -> AccessAnswer {
        let start = environment.time.bootTime()
        guard start < question.deadline else {
            throw .failing(AccessCheckFault(.unreachable, detail: "no time was left to ask \(checker.name)"))
        }
        // A host that does not answer leaves time for those after it.
        var share = start.duration(to: question.deadline) / (othersLeft + 1)
        if othersLeft > 0 { share = min(share, Self.longestAttemptTime) }
        do throws(EndpointFault) {
            let answer = try await checker.ask(question, attemptTime: max(share, Self.leastAttemptTime))
            note(.serving, of: checker.name, since: start)
            return answer
        } catch {
            // Who went away says nothing about the endpoint.
            if !Task.isCancelled { note(standing(after: error), of: checker.name, since: start) }
            throw error
        }
    }

    private func standing(after error: EndpointFault) -> Standing {
        let now = environment.time.bootTime()
        guard error.isNotServed else {
            let silence = error.fault.retryAfter.map { min($0, Self.longestSilence) * (1 + environment.jitter() / 5) }
            return .failing(error.fault, silentUntil: silence.map { now.advanced(by: $0) })
        }
        let wait = error.passedOverFor * (0.8 + 0.4 * environment.jitter())
        return .notServing(error.fault, until: now.advanced(by: wait))
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

    /// Those that are not passed over; all of them where that leaves none: what was mended must show at once.
    private func checkersToAsk(at now: BootTime) -> [any EndpointChecker] {
        let asked = records.withLock { records in
            checkers.filter { checker in
                guard case .notServing(_, let until) = records[checker.name]?.standing else { return true }
                return until <= now
            }
        }
        return asked.isEmpty ? checkers : asked
    }

    /// Azure asked to be left alone, and the time is not over yet.
    private func silence(of name: String) -> AccessCheckFault? {
        let now = environment.time.bootTime()
        return records.withLock { records in
            guard case .failing(let fault, .some(let until)) = records[name]?.standing, now < until else { return nil }
            return AccessCheckFault(fault.reason, detail: fault.detail, retryAfter: now.duration(to: until))
        }
    }

    /// The faults of those that do not serve, in the configured order.
    private var setAside: [(name: String, fault: AccessCheckFault)] {
        records.withLock { records in
            checkers.compactMap { checker in
                guard case .notServing(let fault, _) = records[checker.name]?.standing else { return nil }
                return (checker.name, fault)
            }
        }
    }

    /// A fault of the one that was asked, with the words of those that were passed over: what is wrong there is why
    /// everything hangs on this one.
    private func withThoseSetAside(_ fault: AccessCheckFault) -> AccessCheckFault {
        let words = [fault.detail] + setAside.map(\.fault.detail)
        return AccessCheckFault(fault.reason, detail: words.joined(separator: "; "), retryAfter: fault.retryAfter)
    }

    /// One fault for all. Where one has served before and cannot be reached now, it is an outage, whatever is wrong
    /// with the others; otherwise the reason that somebody can mend best. With the words of each.
    private func nobodyServes() -> AccessCheckFault {
        let faults = setAside
        let detail = faults.map(\.fault.detail).joined(separator: "; ")
        let isOutage = records.withLock { records in
            faults.contains { $0.fault.reason == .unreachable && records[$0.name]?.hasServed == true }
        }
        let mostTelling: [DenialReason] =
            isOutage
            ? [.unreachable]
            : [.applicationMissing, .identityMayNotAsk, .resourceNotFound, .malformedAnswer, .unreachable]
        let reason = mostTelling.first { reason in faults.contains { $0.fault.reason == reason } }
        return AccessCheckFault(reason ?? .unreachable, detail: detail.isEmpty ? "no access checker" : detail)
    }
}
