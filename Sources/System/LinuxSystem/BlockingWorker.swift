// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Synchronization

/// One thread for work that blocks (fsync(2), a slow disk), so that it never blocks the loop. It runs work in order of
/// arrival, one piece at a time. The queue is not bounded here: a caller that serves untrusted clients bounds it.
package final class BlockingWorker: Sendable {
    private let queue: WorkQueue
    private let thread: NativeThread

    /// `name` is what ps(1) shows: at most 15 bytes are kept. Errors: no descriptor or thread is left.
    package init(named name: String) throws(Errno) {
        let queue = WorkQueue(wakeup: Descriptor(takingOwnership: try checked(clinux_eventfd(1))))
        thread = try NativeThread(named: name) { queue.work() }
        self.queue = queue
    }

    // Queued work is still done: for each piece a caller may be waiting.
    deinit {
        queue.close()
        thread.detach()
    }

    /// Runs `work` on the thread later; the caller does not wait.
    package func add(_ work: @escaping @Sendable () -> Void) { queue.add(work) }

    /// Runs `work` on the thread and returns its result; the task then continues on its own executor. Cancelling has no
    /// effect on work: a write that has begun is finished.
    package func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            queue.add { continuation.resume(returning: Result(catching: work)) }
        }
        return try result.get()
    }
}

private final class WorkQueue: Sendable {
    private struct State {
        var work: [@Sendable () -> Void] = []
        var isClosed = false
    }

    private let wakeup: Descriptor
    private let state = Mutex(State())

    init(wakeup: consuming Descriptor) { self.wakeup = wakeup }

    func add(_ work: @escaping @Sendable () -> Void) {
        state.withLock { $0.work.append(work) }
        _ = clinux_eventfd_add(wakeup.rawValue)
    }

    func close() {
        state.withLock { $0.isClosed = true }
        _ = clinux_eventfd_add(wakeup.rawValue)
    }

    /// The thread's body: returns once the queue is closed and empty.
    func work() {
        while true {
            _ = clinux_eventfd_take(wakeup.rawValue)
            let (work, isClosed) = state.withLock { state in
                defer { state.work = [] }
                return (state.work, state.isClosed)
            }
            for piece in work { piece() }
            if isClosed { return }
        }
    }
}
