// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What stat(2) says about a file's content: equal stamps mean the same bytes. Links are followed.
package struct FileStamp: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let modified: Duration
    /// When content or status changed last (st_ctime), since 1970.
    package let changed: Duration

    /// Errors: those of stat(2); `Errno.noEntry` if there is no such file.
    package init(of path: String) throws(Errno) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Errno.last }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = .seconds(status.st_mtim.tv_sec) + .nanoseconds(status.st_mtim.tv_nsec)
        changed = .seconds(status.st_ctim.tv_sec) + .nanoseconds(status.st_ctim.tv_nsec)
    }
}
