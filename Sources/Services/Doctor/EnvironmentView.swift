// SPDX-License-Identifier: Apache-2.0

package import Integration

/// Room in the file system of a folder (statvfs(3)).
package struct FileSpace: Hashable, Sendable {
    /// For processes without privileges.
    package var freeBytes: UInt64
    package var freeFiles: UInt64
    /// Zero if the file system does not count files.
    package var totalFiles: UInt64
    /// Mounted read-only.
    package var isReadOnly: Bool

    package init(freeBytes: UInt64, freeFiles: UInt64, totalFiles: UInt64, isReadOnly: Bool = false) {
        self.freeBytes = freeBytes
        self.freeFiles = freeFiles
        self.totalFiles = totalFiles
        self.isReadOnly = isReadOnly
    }
}

/// What `doctor` reads besides the integration's own files.
package protocol EnvironmentView: HostView {
    /// Nil if unknown.
    func space(of folder: String) -> FileSpace?
    /// True for a symbolic link, whatever it leads to.
    func isLink(_ path: String) -> Bool
    /// True for a home of the account `uid` that root began and never finished: the session stage makes it anew
    /// (entralogin_home.h).
    func isUnfinishedHome(_ path: String, uid: UInt32) -> Bool
}
