// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// One request in flight per key: a caller that asks for what is already being fetched waits for that answer. Each
/// caller keeps its own deadline, and a caller that leaves does not cancel the request.
package final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    package typealias Outcome = Result<Value, AccessCheckFault>
    /// Fetches by the deadline of the caller that began.
    package typealias Fetch = @Sendable (BootTime) async -> Outcome

    private struct Request: Sendable {
        let deadline: BootTime
        let pending = PendingOutcome<Outcome>()
    }

    private let time: any TimeSource
    private let tasks: any TaskStarter
    private let requests = Mutex<[Key: Request]>([:])

    /// `tasks` runs the fetches.
    package init(time: any TimeSource, tasks: any TaskStarter) {
        self.time = time
        self.tasks = tasks
    }

    /// The answer of the request in flight. If there is none, `fetch` is called with this caller's deadline, and runs
    /// to its end even if the caller leaves.
    package func join(_ key: Key, by deadline: BootTime, fetch: @escaping Fetch) async throws(AccessCheckFault) -> Value
    {
        let (first, others) = await outcome(of: key, by: deadline, fetch)
        // Another caller's request ended with that caller's deadline: there is time left for one more.
        if case .failure = first, let others, others < deadline, time.bootTime() >= others {
            return try await outcome(of: key, by: deadline, fetch).outcome.get()
        }
        return try first.get()
    }

    /// Begins a request unless one is in flight, and does not wait for it.
    package func begin(_ key: Key, by deadline: BootTime, fetch: @escaping Fetch) {
        _ = request(for: key, by: deadline, fetch)
    }

    /// The outcome and, if another caller began the request, the request's deadline.
    private func outcome(
        of key: Key,
        by deadline: BootTime,
        _ fetch: @escaping Fetch
    ) async -> (outcome: Outcome, others: BootTime?) {
        guard !Task.isCancelled else { return (.failure(Self.unanswered), nil) }
        let (request, isNew) = request(for: key, by: deadline, fetch)
        // If this caller's deadline is not the earlier one, wait for the fetch itself: it ends by its own deadline,
        // with a fault that says more than `unanswered`.
        let outcome =
            deadline < request.deadline
            ? await request.pending.outcome(by: deadline, on: time) : await request.pending.value()
        return (outcome ?? .failure(Self.unanswered), isNew ? nil : request.deadline)
    }

    private static var unanswered: AccessCheckFault {
        AccessCheckFault(.unreachable, detail: "no answer within the time there was")
    }

    private func request(for key: Key, by deadline: BootTime, _ fetch: @escaping Fetch) -> (Request, isNew: Bool) {
        let (request, isNew) = requests.withLock { requests in
            if let running = requests[key] { return (running, false) }
            let request = Request(deadline: deadline)
            requests[key] = request
            return (request, true)
        }
        if isNew {
            tasks.start { [self] in
                let outcome = await fetch(deadline)
                requests.withLock { _ = $0.removeValue(forKey: key) }
                request.pending.finish(with: outcome)
            }
        }
        return (request, isNew)
    }
}
