// SPDX-License-Identifier: Apache-2.0

import LinuxSystem

/// Calls the body while a loop runs on a thread of its own; the loop has stopped when this returns.
func withRunningLoop<Result>(_ body: (EventLoop) async throws -> sending Result) async throws -> sending Result {
    let loop = try EventLoop()
    let thread = try loop.runInThread()
    defer {
        loop.stop()
        thread.join()
    }
    return try await body(loop)
}

/// Waits until `operation` has run on the loop, and returns what it gives.
func onLoop<Value: Sendable>(
    _ loop: EventLoop,
    _ operation: @escaping @Sendable () async -> Value
) async -> Value {
    await withCheckedContinuation { continuation in
        loop.start { continuation.resume(returning: await operation()) }
    }
}
