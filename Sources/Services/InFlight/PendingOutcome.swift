// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// An outcome that is still to come. Any number of callers wait for it, each with its own deadline; a later caller gets
/// it at once. Only the first outcome counts.
package final class PendingOutcome<Outcome: Sendable>: Sendable {
    private struct State {
        var outcome: Outcome?
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Outcome?, Never>] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// The outcome, if there is one yet.
    package var outcome: Outcome? { state.withLock { $0.outcome } }

    /// Every caller that waits gets `outcome`.
    package func finish(with outcome: Outcome) {
        let waiting = state.withLock { state in
            guard state.outcome == nil else { return [CheckedContinuation<Outcome?, Never>]() }
            state.outcome = outcome
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiting { waiter.resume(returning: outcome) }
    }

    /// The outcome, or nil if there is none by `deadline`.
    package func outcome(by deadline: BootTime, on time: any TimeSource) async -> Outcome? {
        if let known = self.outcome { return known }
        return await withTaskGroup(of: Outcome?.self) { group in
            group.addTask { await self.value() }
            group.addTask {
                await time.sleep(until: deadline)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    /// The outcome, however long it takes; nil if the task is cancelled first.
    package func value() async -> Outcome? {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known: Outcome?? = state.withLock { state in
                    if let outcome = state.outcome { return .some(outcome) }
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[waiter] = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: waiter) }?.resume(returning: nil)
        }
    }
}
