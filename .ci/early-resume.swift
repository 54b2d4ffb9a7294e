// SPDX-License-Identifier: Apache-2.0
//
// The evidence for a pattern in thread.suppressions: a correct program that ThreadSanitizer reports. It has no code of
// this project. `.ci/early-resume` builds and runs it.
//
// A continuation may be resumed on another thread before its task waits for it. The runtime then lets the task go on
// without suspending. It synchronizes by its own atomic, in a library that is not instrumented, and reports a
// happens-before to ThreadSanitizer only if the task had suspended. So the task's next `withUnsafeContinuation`, which
// writes to the same memory of the task, looks like a race with what `resume` read there.
import Glibc

/// A continuation on its way to the other thread. Guarded by a pthread mutex, which ThreadSanitizer knows.
final class Handover: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var waiting: UnsafeContinuation<Void, Never>?

    init() { pthread_mutex_init(lock, nil) }

    func give(_ continuation: UnsafeContinuation<Void, Never>) {
        pthread_mutex_lock(lock)
        waiting = continuation
        pthread_mutex_unlock(lock)
    }

    func take() -> UnsafeContinuation<Void, Never>? {
        pthread_mutex_lock(lock)
        defer {
            waiting = nil
            pthread_mutex_unlock(lock)
        }
        return waiting
    }
}

let handover = Handover()
nonisolated(unsafe) var resumer = pthread_t()
let failure = pthread_create(&resumer, nil, { _ in
    while true {
        handover.take()?.resume()
        sched_yield()
    }
}, nil)
precondition(failure == 0)
for _ in 0..<20 {
    await Task.detached {
        for _ in 0..<20 {
            await withUnsafeContinuation { continuation in
                handover.give(continuation)
                usleep(3_000)  // Long enough for the other thread to resume it first.
            }
        }
    }.value
}
