// SPDX-License-Identifier: Apache-2.0

/// The result of stat(2) for a path; links are followed.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: Sendable {
        case file
        case folder
        case other
    }

    package var kind: Kind
    package var owner: UInt32
    package var group: UInt32
    /// The permission bits: the lowest twelve.
    package var mode: UInt32
    package var device: UInt64
    package var inode: UInt64
    package var size: Int64
    /// Nanoseconds since 1970.
    package var modified: Int64
    package var changed: Int64

    package init(
        kind: Kind,
        owner: UInt32 = 0,
        group: UInt32 = 0,
        mode: UInt32 = 0o644,
        device: UInt64 = 0,
        inode: UInt64 = 0,
        size: Int64 = 0,
        modified: Int64 = 0,
        changed: Int64 = 0
    ) {
        self.kind = kind
        self.owner = owner
        self.group = group
        self.mode = mode
        self.device = device
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
    }
}

/// Why a path cannot be read.
package enum FileAbsence: Error, Hashable, Sendable {
    case absent
    /// This process may not search a folder above it, or not read the file.
    case forbidden
    /// Another error; the text describes it.
    case failed(String)
}

/// How a program ended.
package struct ProgramResult: Hashable, Sendable {
    /// The exit status; nil if it did not start, was ended by a signal or took too long.
    package var status: Int32?
    package var output: String
    /// Standard error, or why there is no status.
    package var complaint: String

    package init(status: Int32?, output: String = "", complaint: String = "") {
        self.status = status
        self.output = output
        self.complaint = complaint
    }
}

/// Runs a program to its end.
package protocol ProgramRunner: Sendable {
    /// `path` is absolute; the environment is fixed and small. Blocks, for ten seconds at most.
    func run(_ path: String, _ arguments: [String]) -> ProgramResult
}

/// The checks' read-only view of the machine.
package protocol HostView: ProgramRunner {
    /// The text of a plain file of at most 1 MiB; bytes that are not UTF-8 become replacement characters.
    func text(of path: String) throws(FileAbsence) -> String
    /// The same, for a file of at most `limit` bytes.
    func text(of path: String, limit: Int) throws(FileAbsence) -> String
    func status(of path: String) throws(FileAbsence) -> FileStatus
    /// glob(7), sorted as glob(3) does in the C locale.
    func paths(matching pattern: String) -> [String]
    /// Loads a module as its programs do, and unloads it. Returns the loader's error, or nil.
    func complaintOnLoading(module path: String) -> String?
    /// False if the process with that pid is known to have ended.
    func isRunning(pid: Int32) -> Bool
}

extension HostView {
    package func exists(_ path: String) -> Bool { (try? status(of: path)) != nil }
    package func text(of path: String, limit: Int) throws(FileAbsence) -> String { try text(of: path) }
}

extension String {
    /// The lines as the programs that read these files see them: only LF ends one. (To Swift, CR LF is one character.)
    package var lines: [Substring] {
        utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Substring($0) }
    }
}
