// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import InFlight
internal import Synchronization

/// One question to Azure under way. Any number of callers wait for it, each with a deadline of its own; it goes on
/// when they have all left, so that its answer is there for the next one.
final class PendingQuestion: Sendable {
    enum Outcome: Hashable, Sendable {
        case answered(CachedAnswer)
        /// What is allowed counts; what is not is unconfirmed, because of that fault.
        case unconfirmed(CachedAnswer, AccessCheckFault)
        case failed(AccessCheckFault)
    }

    let correlation: CorrelationID
    let startedAt: BootTime
    private let lastOutcome = PendingOutcome<Outcome>()
    /// There before the confirmation of a user's answer is.
    private let firstOutcome = PendingOutcome<Outcome>()
    /// Set: no answer counts for more than this.
    private let ceiling = Mutex<AccessAnswer?>(nil)
    private let forgotten = Mutex(false)
    private let waited = Mutex(false)

    init(correlation: CorrelationID, startedAt: BootTime) {
        self.correlation = correlation
        self.startedAt = startedAt
    }

    /// Azure was asked aside, later than this question was, and gave no more than `answer`.
    func lower(to answer: AccessAnswer) { ceiling.withLock { $0 = answer } }

    /// Somebody waits for it: a question in the background has nobody.
    func noteWaiter() { waited.withLock { $0 = true } }

    var hasWaiter: Bool { waited.withLock(\.self) }

    /// Root had everything forgotten after this was asked: the answer counts for those who wait, and is not kept.
    func forget() { forgotten.withLock { $0 = true } }

    var isForgotten: Bool { forgotten.withLock(\.self) }

    /// The answer, as far as nothing less was said meanwhile: it may be the older one, however late it comes (P2).
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

    /// Tells callers that can go on as a user what is known before the confirmation.
    func announce(_ outcome: Outcome) { firstOutcome.finish(with: outcome) }

    /// What is known so far; nil before anything is.
    var announced: Outcome? { firstOutcome.outcome }

    /// The outcome, or nil where there is none by `deadline`. `announced`: what was announced is enough.
    func outcome(by deadline: BootTime, orAnnounced announced: Bool, on time: any TimeSource) async -> Outcome? {
        await (announced ? firstOutcome : lastOutcome).outcome(by: deadline, on: time)
    }
}
