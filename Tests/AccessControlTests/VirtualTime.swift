// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Synchronization

/// Time that passes only when a test advances it.
final class VirtualTime: TimeSource {
    private struct State {
        var wall: Int64 = 1_800_000_000
        var boot: Duration = .seconds(1000)
        var sleepers: [Int: (until: BootTime, continuation: CheckedContinuation<Void, Never>)] = [:]
        var next = 0
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())
    /// How many tasks sleep, and until when.
    let sleeping = Watched<[BootTime]>([])

    func wallTime() -> UnixTime { UnixTime(seconds: state.withLock { $0.wall }) }

    func bootTime() -> BootTime { BootTime(sinceBoot: state.withLock { $0.boot }) }

    /// Moves both clocks and wakes the tasks that are due.
    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.boot += duration
            state.wall += duration.components.seconds
            let now = BootTime(sinceBoot: state.boot)
            let due = state.sleepers.filter { $0.value.until <= now }
            for key in due.keys { state.sleepers[key] = nil }
            return due.values.map(\.continuation)
        }
        note()
        for continuation in due { continuation.resume() }
    }

    /// Moves the wall clock only, as an administrator or a broken clock does.
    func jumpWall(by seconds: Int64) { state.withLock { $0.wall += seconds } }

    func sleep(until time: BootTime) async {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let sleeps = state.withLock { state in
                    guard BootTime(sinceBoot: state.boot) < time, !state.cancelled.contains(id) else { return false }
                    state.sleepers[id] = (time, continuation)
                    return true
                }
                if sleeps { note() } else { continuation.resume() }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(id)
                return state.sleepers.removeValue(forKey: id)
            }
            note()
            sleeper?.continuation.resume()
        }
    }

    private func note() {
        let times = state.withLock { $0.sleepers.values.map(\.until) }
        sleeping.update { $0 = times }
    }
}

/// Starts plain tasks, and counts those that have ended.
final class PlainStarter: TaskStarter {
    let started = Watched(0)
    let ended = Watched(0)

    func start(_ operation: @escaping @Sendable () async -> Void) {
        started.update { $0 += 1 }
        Task {
            await operation()
            ended.update { $0 += 1 }
        }
    }

    /// Returns once all tasks have ended, including those that they started themselves.
    func settle() async {
        var count: Int
        repeat {
            count = started.value
            let all = count
            await ended.wait { $0 >= all }
        } while started.value != count
    }
}

/// Different bytes at each call.
final class CountingRandom: RandomSource {
    private let counter = Mutex<UInt64>(0)

    func bytes(_ count: Int) -> [UInt8] {
        let number = counter.withLock { counter in
            counter += 1
            return counter
        }
        return (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 8))) }
    }
}
