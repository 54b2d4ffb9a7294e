// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// The signals that a service handles (signal(7)).
package enum UnixSignal: Int32, CaseIterable, Sendable {
    /// SIGHUP: read the settings again.
    case hangUp = 1
    /// SIGINT: stop.
    case interrupt = 2
    /// SIGTERM: stop.
    case terminate = 15
}

/// Turns signals into something that an `EventLoop` can watch (signalfd(2)), so that no code runs in a signal handler.
package struct SignalDescriptor: ~Copyable, Sendable {
    private let file: Descriptor

    /// For `EventLoop.watch`; borrowed.
    package var descriptor: Int32 { file.rawValue }

    /// Blocks these signals in the calling thread and in all that it starts later. So it is made first, by the main
    /// thread: the kernel delivers a signal to any thread that does not block it.
    package init(_ signals: [UnixSignal] = UnixSignal.allCases) throws(Errno) {
        let numbers = signals.map(\.rawValue)
        file = Descriptor(takingOwnership: try checked(clinux_signalfd(numbers, numbers.count)))
    }

    /// The next signal that has come; nil where none has.
    package borrowing func next() throws(Errno) -> UnixSignal? {
        let number = clinux_signalfd_take(file.rawValue)
        if number == -EAGAIN { return nil }
        return UnixSignal(rawValue: try checked(number))
    }

    /// From now on writing to a peer that has gone fails with EPIPE instead of ending the process.
    package static func ignoreBrokenPipes() { _ = clinux_ignore_sigpipe() }
}
