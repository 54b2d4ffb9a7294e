// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// One flight per key: who asks for what is already being fetched waits for that answer. Everybody keeps a deadline of
/// his own, and nobody who goes away takes the answer with him.
final class FlightBoard<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, AccessCheckFault>
    private typealias Waiter = CheckedContinuation<Outcome, Never>

    private struct Flight {
        let deadline: BootTime
        var waiters: [UInt64: Waiter] = [:]
    }

    private struct State {
        var next: UInt64 = 0
        var flights: [Key: Flight] = [:]
        /// Those that gave up before their wait began.
        var cancelled: Set<UInt64> = []
    }

    private let time: any TimeSource
    private let tasks: any TaskStarter
    private let state = Mutex(State())

    init(time: any TimeSource, tasks: any TaskStarter) {
        self.time = time
        self.tasks = tasks
    }

    /// The flight's answer. `fetch` is called where none is under way, with this caller's deadline, and runs to its end
    /// whatever becomes of the caller.
    func join(
        _ key: Key,
        by deadline: BootTime,
        fetch: @escaping @Sendable (BootTime) async -> Outcome
    ) async throws(AccessCheckFault) -> Value {
        let (first, others) = await wait(for: key, by: deadline, fetch)
        // Somebody else's flight ended with his deadline: there is time left for one of our own.
        if case .failure = first, let others, others < deadline, time.bootTime() >= others {
            return try await wait(for: key, by: deadline, fetch).outcome.get()
        }
        return try first.get()
    }

    /// Begins a flight unless one is under way, and does not wait for it.
    func begin(_ key: Key, by deadline: BootTime, fetch: @escaping @Sendable (BootTime) async -> Outcome) {
        let isNew = state.withLock { state in
            guard state.flights[key] == nil else { return false }
            state.flights[key] = Flight(deadline: deadline)
            return true
        }
        if isNew { start(key, deadline, fetch) }
    }

    /// The outcome, and the deadline of the flight where it was another's.
    private func wait(
        for key: Key,
        by deadline: BootTime,
        _ fetch: @escaping @Sendable (BootTime) async -> Outcome
    ) async -> (outcome: Outcome, others: BootTime?) {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        var others: BootTime?
        let outcome: Outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                switch board(key, number, deadline, waiter) {
                case .cancelled: waiter.resume(returning: .failure(FlightBoard.goneAway))
                case .begun: start(key, deadline, fetch)
                case .joined(let flightDeadline):
                    others = flightDeadline
                    if deadline < flightDeadline { giveUp(key, number, at: deadline) }
                }
            }
        } onCancel: {
            leave(key, number, isCancelled: true)
        }
        state.withLock { _ = $0.cancelled.remove(number) }
        return (outcome, others)
    }

    private enum Boarding {
        case cancelled
        case begun
        case joined(BootTime)
    }

    private func board(_ key: Key, _ number: UInt64, _ deadline: BootTime, _ waiter: Waiter) -> Boarding {
        state.withLock { state in
            guard state.cancelled.remove(number) == nil else { return .cancelled }
            if let flight = state.flights[key] {
                state.flights[key]?.waiters[number] = waiter
                return .joined(flight.deadline)
            }
            state.flights[key] = Flight(deadline: deadline, waiters: [number: waiter])
            return .begun
        }
    }

    private static var goneAway: AccessCheckFault { AccessCheckFault(.unreachable, detail: "nobody waits any more") }

    private func start(
        _ key: Key,
        _ deadline: BootTime,
        _ fetch: @escaping @Sendable (BootTime) async -> Outcome
    ) {
        tasks.start { [self] in
            let outcome = await fetch(deadline)
            let waiters = state.withLock { $0.flights.removeValue(forKey: key)?.waiters ?? [:] }
            for waiter in waiters.values { waiter.resume(returning: outcome) }
        }
    }

    private func giveUp(_ key: Key, _ number: UInt64, at deadline: BootTime) {
        tasks.start { [self] in
            await time.sleep(until: deadline)
            leave(key, number, isCancelled: false)
        }
    }

    private func leave(_ key: Key, _ number: UInt64, isCancelled: Bool) {
        let waiter = state.withLock { state in
            let waiter = state.flights[key]?.waiters.removeValue(forKey: number)
            if waiter == nil, isCancelled { state.cancelled.insert(number) }
            return waiter
        }
        let fault = AccessCheckFault(.unreachable, detail: "no answer within the time there was")
        waiter?.resume(returning: .failure(fault))
    }
}
