// SPDX-License-Identifier: Apache-2.0

/// Why a file could not be read or replaced: what, where, at which step.
package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Problem: Hashable, Sendable {
        /// A system call failed.
        case failed(Errno)
        /// A link, a folder, a FIFO, a device, or a file with further names.
        case notPlainFile
        /// A link where a folder has to be.
        case notPlainFolder
        /// Its owner is not among those allowed.
        case foreignOwner(UInt32)
        /// Its permission bits allow what they must not.
        case looseMode(UInt32)
        /// More bytes than the limit.
        case tooLarge(limit: Int)
    }

    package let path: String
    /// The step that failed, in words: `open`, `write`, `sync folder`.
    package let step: String
    package let problem: Problem

    package init(path: String, step: String, problem: Problem) {
        self.path = path
        self.step = step
        self.problem = problem
    }

    /// True where there is no such file (or no such folder).
    package var isAbsent: Bool { problem == .failed(.noEntry) }
    /// This process may not read the file, or may not search a folder above it.
    package var isForbidden: Bool { problem == .failed(.permissionDenied) }

    package var description: String {
        switch problem {
        case .failed(let errno): "\(path): cannot \(step): \(errno)"
        case .notPlainFile: "\(path): not a plain file with one name"
        case .notPlainFolder: "\(path): a link, not a folder"
        case .foreignOwner(let owner): "\(path): belongs to user \(owner), who may not own it"
        case .looseMode(let mode): "\(path): mode 0\(String(mode, radix: 8)) lets others write it"
        case .tooLarge(let limit): "\(path): larger than \(limit) bytes"
        }
    }
}
