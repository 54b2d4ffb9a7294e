// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A POSIX thread with every signal blocked: signals are for the thread that reads the `SignalDescriptor`.
package struct NativeThread: Sendable {
    private let id: UInt

    /// Starts it. `name` is what ps(1) shows: at most 15 bytes are kept. Errors: those of pthread_create(3).
    package init(named name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var id: UInt = 0
        let result = clinux_thread_start(enterThread, start.toOpaque(), &id)
        if result < 0 { start.release() }
        try checked(result)
        self.id = id
    }

    /// Waits until the body has returned. Once, and not after `detach()`.
    package func join() { _ = clinux_thread_join(id) }

    /// Lets the thread free its resources when it ends: it will not be joined.
    package func detach() { _ = clinux_thread_detach(id) }

    /// A number for the calling thread that no other living thread has; never 0.
    static var current: UInt { clinux_thread_self() }
}

private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

// A function of its own, not a closure: a closure written in a context of an actor would be bound to that actor.
private func enterThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
    _ = clinux_thread_name(start.name)
    start.body()
    return nil
}
