// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity

/// The daemon's loop without descriptors and without waiting: runs every task of every machine on one thread, and when
/// none can go on, moves the clock to the next sleeper's time. The same seed gives the same run, job by job.
final class VirtualLoop: TaskExecutor, SerialExecutor, TimeSource, TaskStarter, @unchecked Sendable {
    // Unchecked: everything happens on the thread inside `run`.

    private struct Sleeper {
        let time: Duration
        let number: UInt64
    }

    private var jobs: [UnownedJob] = []
    private var spare: [UnownedJob] = []
    private var heap: [Sleeper] = []
    private var waiting: [UInt64: UnsafeContinuation<Void, Never>] = [:]
    private var last: UInt64 = 0
    /// Since the start.
    private(set) var now = Duration.zero

    func enqueue(_ job: consuming ExecutorJob) { jobs.append(UnownedJob(job)) }

    /// Runs until the time `end`.
    func run(until end: Duration) {
        let serial = asUnownedSerialExecutor()
        let task = asUnownedTaskExecutor()
        while true {
            while !jobs.isEmpty {
                swap(&jobs, &spare)
                for job in spare { job.runSynchronously(isolatedTo: serial, taskExecutor: task) }
                spare.removeAll(keepingCapacity: true)
            }
            guard let next = heap.first, next.time <= end else { break }
            removeFirst()
            guard let continuation = waiting.removeValue(forKey: next.number) else { continue }
            now = max(now, next.time)
            continuation.resume()
        }
        now = end
    }

    // MARK: Ports

    func wallTime() -> UnixTime { UnixTime(seconds: 1_800_000_000 + now.components.seconds) }

    func bootTime() -> BootTime { BootTime(sinceBoot: now) }

    func sleep(until time: BootTime) async {
        last += 1
        let number = last
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                guard !Task.isCancelled, time.sinceBoot > now else { return continuation.resume() }
                waiting[number] = continuation
                insert(Sleeper(time: time.sinceBoot, number: number))
            }
        } onCancel: {
            waiting.removeValue(forKey: number)?.resume()
        }
    }

    func sleep(_ seconds: Double) async { await sleep(until: BootTime(sinceBoot: now + .seconds(seconds))) }

    func start(_ operation: @escaping @Sendable () async -> Void) {
        Task(executorPreference: self) { await operation() }
    }

    // MARK: A binary heap: the earliest first; at the same time, the one that was added first.

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].number) < (heap[right].time, heap[right].number)
    }

    private func insert(_ sleeper: Sleeper) {
        heap.append(sleeper)
        var child = heap.count - 1
        while child > 0, isEarlier(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isEarlier(child, least) {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

/// SplitMix64: small, and the same everywhere.
final class SeededRandom: RandomSource, @unchecked Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }

    func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }

    /// At least 0, and below 1.
    func fraction() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
