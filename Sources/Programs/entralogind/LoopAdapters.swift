// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import LinuxSystem
internal import Systemd

/// The machine's clocks; the event loop does the waiting.
struct LoopTime: TimeSource {
    let loop: EventLoop

    func wallTime() -> UnixTime { UnixTime(seconds: SystemClock.wallSeconds()) }

    func bootTime() -> BootTime { BootTime(sinceBoot: SystemClock.sinceBoot()) }

    func sleep(until time: BootTime) async { await loop.sleep(until: time.sinceBoot) }
}

/// Every task of the daemon runs on its one loop.
struct LoopTasks: TaskStarter {
    let loop: EventLoop

    func start(_ operation: @escaping @Sendable () async -> Void) { loop.start(operation) }
}

struct KernelRandom: RandomSource {
    func bytes(_ count: Int) -> [UInt8] { Randomness.bytes(count) }
}

/// Processes by pidfd, sessions by logind.
struct LiveProcesses: ProcessWatcher {
    func watch(pid: Int32) -> (any WatchedProcess)? { try? Watched(descriptor: ProcessDescriptor(pid: pid)) }

    func hasLoginSession(uid: UInt32) -> Bool { LoginSessions.exist(for: uid) }

    struct Watched: WatchedProcess {
        let descriptor: ProcessDescriptor

        var pid: Int32 { descriptor.pid }

        var isAlive: Bool { descriptor.isAlive }
    }
}
