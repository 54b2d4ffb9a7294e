// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// An open file descriptor with one owner. It is closed when the owner lets go of it.
package struct Descriptor: ~Copyable, Sendable {
    /// The number; borrowed: it is valid only while this value lives.
    package let rawValue: Int32

    /// Takes over an open descriptor: nobody else may close it from now on.
    package init(takingOwnership rawValue: Int32) {
        precondition(rawValue >= 0, "a descriptor is never negative")
        self.rawValue = rawValue
    }

    deinit { _ = Glibc.close(rawValue) }

    /// Closes it now, and says what close(2) says. The number is gone even where that is an error.
    package consuming func close() throws(Errno) {
        let number = rawValue
        discard self
        // Linux closes the number before it can be interrupted, so EINTR is no failure and is never repeated.
        guard Glibc.close(number) == 0 || errno == EINTR else { throw Errno.last }
    }

    /// Gives the number away: the caller closes it.
    package consuming func release() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    /// Opens a path (open(2)) with `O_CLOEXEC` added to `flags`. `mode` counts only where a file is created.
    package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0) throws(Errno) -> Descriptor {
        let number = try retryingOnInterrupt { Glibc.open(path, flags | O_CLOEXEC, mode_t(mode)) }
        return Descriptor(takingOwnership: number)
    }
}
