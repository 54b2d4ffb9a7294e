// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// One question to Azure under way. Any number of callers wait for it, each with a deadline of its own; it goes on
/// when they have all left, so that its answer is there for the next one.
final class Flight: Sendable {
    enum Outcome: Hashable, Sendable {
        case answered(CachedAnswer)
        case failed(AccessCheckFault)
    }

    let correlation: CorrelationID
    let startedAt: BootTime
    private let landing = Landing<Outcome>()
    /// Set: no answer counts for more than this.
    private let ceiling = Mutex<Role??>(nil)

    init(correlation: CorrelationID, startedAt: BootTime) {
        self.correlation = correlation
        self.startedAt = startedAt
    }

    /// Azure was asked aside, later than this question was, and gave no more than `role`.
    func lower(to role: Role?) { ceiling.withLock { $0 = .some(role) } }

    /// The answer, as far as nothing less was said meanwhile: it may be the older one, however late it comes (P2).
    func lowered(_ answer: AccessAnswer) -> AccessAnswer {
        guard let ceiling = ceiling.withLock({ $0 }), Flight.isMore(answer.role, than: ceiling) else { return answer }
        return AccessAnswer(role: ceiling, lifetime: answer.lifetime, checker: answer.checker)
    }

    private static func isMore(_ role: Role?, than other: Role?) -> Bool {
        guard let role else { return false }
        return other.map { $0 < role } ?? true
    }

    /// Lands the flight: everybody who waits gets `outcome`, and whoever asks later gets it at once.
    func land(_ outcome: Outcome) { landing.land(outcome) }

    /// The outcome, or nil where there is none by `deadline`.
    func outcome(by deadline: BootTime, on time: any TimeSource) async -> Outcome? {
        await landing.outcome(by: deadline, on: time)
    }
}
