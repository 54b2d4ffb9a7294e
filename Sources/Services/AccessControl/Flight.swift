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

    private struct State {
        var outcome: Outcome?
        /// Set: no answer counts for more than this.
        var ceiling: Role??
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Outcome?, Never>] = [:]
    }

    let correlation: CorrelationID
    let startedAt: BootTime
    private let state = Mutex(State())

    init(correlation: CorrelationID, startedAt: BootTime) {
        self.correlation = correlation
        self.startedAt = startedAt
    }

    /// Azure was asked aside, later than this question was, and gave no more than `role`.
    func lower(to role: Role?) { state.withLock { $0.ceiling = role } }

    /// The answer, as far as nothing less was said meanwhile: it may be the older one, however late it comes (P2).
    func lowered(_ answer: AccessAnswer) -> AccessAnswer {
        let ceiling = state.withLock { $0.ceiling }
        guard let ceiling, Flight.isMore(answer.role, than: ceiling) else { return answer }
        return AccessAnswer(role: ceiling, lifetime: answer.lifetime, checker: answer.checker)
    }

    private static func isMore(_ role: Role?, than other: Role?) -> Bool {
        guard let role else { return false }
        return other.map { $0 < role } ?? true
    }

    /// Lands the flight: everybody who waits gets `outcome`, and whoever asks later gets it at once.
    func land(_ outcome: Outcome) {
        let waiting = state.withLock { state in
            guard state.outcome == nil else { return [CheckedContinuation<Outcome?, Never>]() }
            state.outcome = outcome
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiting { waiter.resume(returning: outcome) }
    }

    /// The outcome, or nil where there is none by `deadline`.
    func outcome(by deadline: BootTime, on time: any TimeSource) async -> Outcome? {
        if let landed = state.withLock({ $0.outcome }) { return landed }
        return await withTaskGroup(of: Outcome?.self) { group in
            group.addTask { await self.wait() }
            group.addTask {
                await time.sleep(until: deadline)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    /// Returns nil where the task is cancelled first.
    private func wait() async -> Outcome? {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let landed: Outcome?? = state.withLock { state in
                    if let outcome = state.outcome { return .some(outcome) }
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[waiter] = continuation
                    return nil
                }
                if let landed { continuation.resume(returning: landed) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: waiter) }?.resume(returning: nil)
        }
    }
}
