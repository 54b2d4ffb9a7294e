// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import InFlight
internal import Synchronization

/// One question to Azure in flight. Any number of callers wait for it, each with its own deadline; it goes on when all
/// have left, so that the next caller finds its answer.
final class PendingQuestion: Sendable {
    enum Outcome: Hashable, Sendable {
        case answered(CachedAnswer)
        /// What the answer allows counts; what it denies is unconfirmed, because of the fault.
        case unconfirmed(CachedAnswer, AccessCheckFault)
        case failed(AccessCheckFault)
    }

    let correlation: CorrelationID
    let startedAt: BootTime
    private let lastOutcome = PendingOutcome<Outcome>()
    /// May be set before `lastOutcome`: to an answer that still awaits its confirmation.
    private let firstOutcome = PendingOutcome<Outcome>()
    /// Upper bound on the answer, once a later question was answered with less (P2).
    private let ceiling = Mutex<AccessAnswer?>(nil)
    private let forgotten = Mutex(false)
    private let waited = Mutex(false)

    init(correlation: CorrelationID, startedAt: BootTime) {
        self.correlation = correlation
        self.startedAt = startedAt
    }

    /// Another question, asked later than this one, was answered with no more than `answer`.
    func lower(to answer: AccessAnswer) { ceiling.withLock { $0 = answer } }

    /// A caller waits for it; a background question has no such caller.
    func noteWaiter() { waited.withLock { $0 = true } }

    var hasWaiter: Bool { waited.withLock(\.self) }

    /// Root cleared the cache after this was asked: the answer counts for the waiting callers, but is not cached.
    func forget() { forgotten.withLock { $0 = true } }

    var isForgotten: Bool { forgotten.withLock(\.self) }

    /// The answer, limited to `ceiling`: an answer that arrives later may still be the older one (P2).
    func lowered(_ answer: AccessAnswer) -> AccessAnswer {
        guard let ceiling = ceiling.withLock({ $0 }), PendingQuestion.isMore(answer.role, than: ceiling.role) else {
            return answer
        }
        return AccessAnswer(
            role: ceiling.role,
            lifetime: answer.lifetime,
            checker: answer.checker,
            confirmation: answer.confirmation,
            account: ceiling.account ?? answer.account
        )
    }

    private static func isMore(_ role: Role?, than other: Role?) -> Bool {
        guard let role else { return false }
        return other.map { $0 < role } ?? true
    }

    /// Ends the question: every caller that waits gets `outcome`, and a later one gets it at once.
    func finish(_ outcome: Outcome) {
        firstOutcome.finish(with: outcome)
        lastOutcome.finish(with: outcome)
    }

    /// Gives callers that can go on as a user the answer before its confirmation.
    func announce(_ outcome: Outcome) { firstOutcome.finish(with: outcome) }

    /// The outcome so far, which may be unconfirmed; nil if there is none.
    var announced: Outcome? { firstOutcome.outcome }

    /// The outcome, or nil if there is none by `deadline`. `announced`: an announced outcome is enough.
    func outcome(by deadline: BootTime, orAnnounced announced: Bool, on time: any TimeSource) async -> Outcome? {
        await (announced ? firstOutcome : lastOutcome).outcome(by: deadline, on: time)
    }
}
