// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// One epoll(7) loop: it watches descriptors, keeps timers and runs Swift tasks, all on the thread that called `run()`.
///
/// Level-triggered: a watch is called again as long as its descriptor is ready. One turn of the loop runs the jobs that
/// were waiting, then the timers that are due, then at most 64 ready descriptors; jobs that come meanwhile wait for the
/// next turn, so tasks that keep each other busy do not starve the sockets.
///
/// A task started with `start` runs on the loop's thread, and so do the default actors that it calls, until it asks for
/// another executor. It must not block: `BlockingWorker` is for work that blocks.
package final class EventLoop: TaskExecutor, SerialExecutor {
    private static let wakeToken = UInt64.max
    private static let timerToken = UInt64.max - 1

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var isStopping = false
        /// The eventfd was written and not read since.
        var isSignalled = false
    }

    private let epoll: Descriptor
    private let wakeup: Descriptor
    /// On CLOCK_BOOTTIME, because the timeout of epoll_wait(2) does not run while the machine is suspended.
    private let alarm: Descriptor
    /// The thread inside `run()`, or 0.
    private let thread = Atomic<UInt>(0)
    private let inbox = Mutex(Inbox())
    private let timers = Mutex(TimerQueue<UnsafeContinuation<Void, Never>>())
    private let nextTimer = Atomic<UInt64>(0)

    // Touched by the loop's thread only, or before it runs: see `isConfined`.
    nonisolated(unsafe) private var jobs: [UnownedJob] = []
    nonisolated(unsafe) private var spare: [UnownedJob] = []
    nonisolated(unsafe) private var watches = WatchTable()
    nonisolated(unsafe) private var armedAt: Int64 = .max
    nonisolated(unsafe) private var isStopping = false

    /// Errors: the process has no descriptors left.
    package init() throws(Errno) {
        epoll = Descriptor(takingOwnership: try checked(clinux_epoll_create()))
        wakeup = Descriptor(takingOwnership: try checked(clinux_eventfd(0)))
        alarm = Descriptor(takingOwnership: try checked(clinux_timerfd()))
        jobs.reserveCapacity(64)
        spare.reserveCapacity(64)
        try checked(clinux_epoll_add(epoll.rawValue, wakeup.rawValue, CLINUX_READABLE, EventLoop.wakeToken))
        try checked(clinux_epoll_add(epoll.rawValue, alarm.rawValue, CLINUX_READABLE, EventLoop.timerToken))
    }

    // MARK: Life

    /// True on the thread inside `run()`.
    package var isOnLoop: Bool { thread.load(ordering: .relaxed) == NativeThread.current }

    private var isConfined: Bool { isOnLoop || thread.load(ordering: .relaxed) == 0 }

    /// Runs until `stop()`, then returns. The watches, jobs and timers that are left stay for another `run()`. One
    /// caller at a time.
    package func run() {
        let (entered, _) = thread.compareExchange(expected: 0, desired: NativeThread.current, ordering: .acquiring)
        precondition(entered, "the loop runs already")
        defer { thread.store(0, ordering: .releasing) }
        isStopping = false
        withUnsafeTemporaryAllocation(of: clinux_ready.self, capacity: Int(CLINUX_READY_MAX)) { ready in
            while true {
                runJobs()
                resumeSleepers()
                if isStopping { return }
                wait(into: ready)
            }
        }
    }

    /// Makes `run()` return after the jobs that are waiting now. From any thread. Where the loop does not run yet, its
    /// next run ends after one turn.
    package func stop() {
        if isOnLoop {
            isStopping = true
        } else {
            signal { $0.isStopping = true }
        }
    }

    /// Runs on a thread of its own until `stop()`: for tests.
    package func runInThread() throws(Errno) -> NativeThread {
        try NativeThread(named: "event-loop") { self.run() }
    }

    // MARK: Watches

    /// Calls `body` on the loop's thread whenever `descriptor` is ready for something of `interest`. On the loop's
    /// thread only, or while the loop does not run. The owner of the descriptor calls `unwatch` before it closes it.
    ///
    /// Errors: those of epoll_ctl(2): EEXIST where it is watched already, EPERM for a regular file.
    package func watch(
        _ descriptor: Int32,
        for interest: Readiness,
        _ body: @escaping @Sendable (Readiness) -> Void
    ) throws(Errno) -> WatchToken {
        try watch(descriptor, for: interest.rawValue, once: false, body)
    }

    /// The same for one event: the watch has ended when `body` is called, and needs no `unwatch`. The descriptor cannot
    /// be watched again.
    package func watchOnce(
        _ descriptor: Int32,
        for interest: Readiness,
        _ body: @escaping @Sendable (Readiness) -> Void
    ) throws(Errno) -> WatchToken {
        try watch(descriptor, for: interest.rawValue | CLINUX_ONCE, once: true, body)
    }

    private func watch(
        _ descriptor: Int32,
        for events: UInt32,
        once: Bool,
        _ body: @escaping @Sendable (Readiness) -> Void
    ) throws(Errno) -> WatchToken {
        precondition(isConfined, "watch() from another thread than the loop's")
        let token = watches.add(descriptor, once: once, body)
        let result = clinux_epoll_add(epoll.rawValue, descriptor, events, token.rawValue)
        if result < 0 { _ = watches.remove(token) }
        try checked(result)
        return token
    }

    /// Ends a watch: its body is not called again, not even for an event of this turn. No effect where it has ended.
    package func unwatch(_ token: WatchToken) {
        precondition(isConfined, "unwatch() from another thread than the loop's")
        guard let descriptor = watches.remove(token) else { return }
        _ = clinux_epoll_remove(epoll.rawValue, descriptor)
    }

    // MARK: Tasks and timers

    /// Starts a task on the loop. From any thread.
    package func start(_ operation: @escaping @Sendable () async -> Void) {
        Task(executorPreference: self, operation: operation)
    }

    /// Returns at `time` since boot or soon after it, or as soon as the task is cancelled. From any task.
    package func sleep(until time: Duration) async {
        let id = nextTimer.add(1, ordering: .relaxed).newValue
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isEarliest = timers.withLock { $0.add(continuation, id: id, at: time.wholeNanoseconds) }
                // The cancellation may have come before the timer was added.
                if Task.isCancelled { wakeSleeper(id) }
                // The loop arms its alarm before it waits; only another thread has to wake it.
                if isEarliest && !isOnLoop { signal { _ in } }
            }
        } onCancel: {
            wakeSleeper(id)
        }
    }

    private func wakeSleeper(_ id: UInt64) {
        let sleeper = timers.withLock { $0.remove(id: id) }
        sleeper?.resume()
    }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isOnLoop {
            jobs.append(job)
        } else {
            signal { $0.jobs.append(job) }
        }
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }

    package func checkIsolated() { precondition(isOnLoop, "not on the loop's thread") }

    /// Changes the inbox and wakes the loop where it may not have been woken yet.
    private func signal(_ change: (inout Inbox) -> Void) {
        let isFirst = inbox.withLock { inbox in
            change(&inbox)
            defer { inbox.isSignalled = true }
            return !inbox.isSignalled
        }
        if isFirst { _ = clinux_eventfd_add(wakeup.rawValue) }
    }

    // MARK: One turn

    private func runJobs() {
        guard !jobs.isEmpty else { return }
        swap(&jobs, &spare)
        let serial = asUnownedSerialExecutor()
        let task = asUnownedTaskExecutor()
        for job in spare { job.runSynchronously(isolatedTo: serial, taskExecutor: task) }
        spare.removeAll(keepingCapacity: true)
    }

    private func resumeSleepers() {
        guard let earliest = timers.withLock({ $0.earliest }) else { return }
        let now = clinux_boottime()
        if earliest <= now {
            while let sleeper = timers.withLock({ $0.popDue(at: now) }) { sleeper.resume() }
        }
        guard let next = timers.withLock({ $0.earliest }), next != armedAt else { return }
        // 0 would disarm; a time that has passed rings at once.
        _ = clinux_timerfd_arm(alarm.rawValue, UInt64(max(next, 1)))
        armedAt = next
    }

    private func wait(into ready: UnsafeMutableBufferPointer<clinux_ready>) {
        let count = clinux_epoll_wait(epoll.rawValue, ready.baseAddress, jobs.isEmpty && !isStopping ? -1 : 0)
        precondition(count >= 0 || count == -EINTR, "epoll_wait: \(Errno(-count))")
        for event in ready.prefix(Int(max(count, 0))) {
            switch event.token {
            case EventLoop.wakeToken: takeInbox()
            case EventLoop.timerToken:
                _ = clinux_timerfd_take(alarm.rawValue)
                armedAt = .max
            default:
                // This call retains the body, so the body may end its own watch.
                let body = watches.take(WatchToken(rawValue: event.token))
                body?(Readiness(rawValue: event.events))
            }
        }
    }

    private func takeInbox() {
        _ = clinux_eventfd_take(wakeup.rawValue)
        inbox.withLock { inbox in
            jobs.append(contentsOf: inbox.jobs)
            inbox.jobs.removeAll(keepingCapacity: true)
            isStopping = isStopping || inbox.isStopping
            inbox.isStopping = false
            inbox.isSignalled = false
        }
    }
}
