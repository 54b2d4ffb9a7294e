// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Lets one process at a time do something: an exclusive flock(2) of a file that is made for it.
///
/// Only the file's owner can open it: flock(2) needs no write permission, so any user who may read a file could hold
/// its lock.
package enum FileLock {
    private static let pause: UInt32 = 20_000  // microseconds

    /// Runs `body` while this process holds the lock of `path`; blocks until then, for `limit` at most.
    ///
    /// Where the lock cannot be had in time, or its file cannot be opened, `body` runs without it: a process that is
    /// stuck must not keep others from what they have to do.
    package static func holding<Result, Failure: Error>(
        _ path: String,
        waitingAtMost limit: Duration,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let descriptor = try? Descriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
        guard let descriptor else { return try body() }
        let deadline = SystemClock.sinceBoot() + limit
        while flock(descriptor.rawValue, LOCK_EX | LOCK_NB) != 0, SystemClock.sinceBoot() < deadline { usleep(pause) }
        // Unlocked explicitly: a process that is being forked at this moment has the descriptor, too.
        defer { _ = flock(descriptor.rawValue, LOCK_UN) }
        return try body()
    }
}
