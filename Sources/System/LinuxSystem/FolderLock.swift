// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Keeps a folder to one process: an exclusive flock(2), held for as long as the value lives.
package struct FolderLock: ~Copyable, Sendable {
    private let folder: Descriptor

    /// Does not wait: `Errno.wouldBlock` where another process holds it; otherwise the errors of open(2).
    package init(_ path: String) throws(Errno) {
        let folder = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        _ = try retryingOnInterrupt { flock(folder.rawValue, LOCK_EX | LOCK_NB) }
        self.folder = folder
    }

    /// Unlocked rather than only closed: a process that is being forked at that moment has the descriptor, too, until
    /// it runs its program, and would hold the lock for as long (flock(2)).
    deinit { _ = flock(folder.rawValue, LOCK_UN) }
}
