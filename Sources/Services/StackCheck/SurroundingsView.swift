// SPDX-License-Identifier: Apache-2.0

/// Room in the file system of a folder (statvfs(3)).
package struct FileSpace: Hashable, Sendable {
    /// For processes without privileges.
    package var freeBytes: UInt64
    package var freeFiles: UInt64
    /// Zero where the file system does not count files.
    package var totalFiles: UInt64

    package init(freeBytes: UInt64, freeFiles: UInt64, totalFiles: UInt64) {
        self.freeBytes = freeBytes
        self.freeFiles = freeFiles
        self.totalFiles = totalFiles
    }
}

/// What `doctor` sees beyond the wiring.
package protocol SurroundingsView: MachineView {
    /// Nil where it cannot be known.
    func space(of folder: String) -> FileSpace?
}
