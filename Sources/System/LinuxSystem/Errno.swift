// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Why a system call failed: errno(3) as a value.
package struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
    /// The number, as in `<errno.h>`; never 0.
    package let code: Int32

    package init(_ code: Int32) { self.code = code }

    /// What the last failed call of this thread left behind. Read it before anything else is called.
    package static var last: Errno { Errno(errno) }

    package static var noEntry: Errno { Errno(ENOENT) }
    package static var exists: Errno { Errno(EEXIST) }
    package static var interrupted: Errno { Errno(EINTR) }
    package static var wouldBlock: Errno { Errno(EAGAIN) }
    package static var invalidArgument: Errno { Errno(EINVAL) }
    package static var permissionDenied: Errno { Errno(EACCES) }
    package static var notPermitted: Errno { Errno(EPERM) }
    package static var inputOutput: Errno { Errno(EIO) }
    package static var noSpace: Errno { Errno(ENOSPC) }
    package static var readOnlyFileSystem: Errno { Errno(EROFS) }
    package static var tooManyLinks: Errno { Errno(ELOOP) }
    package static var timedOut: Errno { Errno(ETIMEDOUT) }

    /// The C library's sentence for it (strerror_r(3)), with the number: `No space left on device (errno 28)`.
    package var description: String {
        let sentence = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer -> String in
            // POSIX's variant returns 0 and puts the text in the buffer.
            guard let start = buffer.baseAddress, strerror_r(code, start, buffer.count) == 0 else {
                return "unknown error"
            }
            return String(cString: start)
        }
        return "\(sentence) (errno \(code))"
    }
}

/// Repeats a system call while a signal interrupts it. `call` returns -1 and sets errno if it fails.
package func retryingOnInterrupt<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
    while true {
        let result = call()
        guard result == -1 else { return result }
        let failure = Errno.last
        guard failure == .interrupted else { throw failure }
    }
}
