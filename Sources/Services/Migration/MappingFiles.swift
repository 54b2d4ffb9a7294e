// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration
package import LinuxSystem

/// Why the lines of mapped accounts could not be written or removed. Nothing has changed then, unless the file error
/// says so.
package enum MappingFailure: Error, Sendable, CustomStringConvertible {
    case file(FileError)
    /// Another program holds the lock of the account files, or this one may not take it.
    case locked(Errno)
    case contradiction(String)

    package var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .locked(let errno): "/etc/passwd cannot be locked: \(errno)"
        case .contradiction(let text): text
        }
    }
}

/// Root's side of mapped accounts: their lines in /etc/passwd and /etc/group, the list, and a note of what was written,
/// for the way back. Each file is replaced as a whole, under the system's lock; lines that were edited since stay.
package struct MappingFiles: Sendable {
    private static let limit = 16 << 20

    private let passwd: AtomicFile
    private let group: AtomicFile
    private let list: AtomicFile
    private let kept: AtomicFile
    private let requirement: FileRequirement
    private let locks: Bool

    /// The machine's own files.
    package init() { self.init(in: "/etc", owner: 0, locks: true) }

    /// `folder` instead of /etc; `locks` off for tests.
    package init(in folder: String, owner: UInt32, locks: Bool) {
        passwd = AtomicFile("\(folder)/passwd")
        group = AtomicFile("\(folder)/group")
        list = AtomicFile("\(folder)/entralogin/adopted")
        kept = AtomicFile("\(folder)/entralogin/adopted.lines")
        requirement = .owned(by: owner)
        self.locks = locks
    }

    /// Writes the note and the list, not the account files: an account in the list without a record is refused, until
    /// PAM is integrated and `restore` adds the lines. Throws if the lines would contradict the files.
    package func add(_ lines: MappingLines) throws(MappingFailure) {
        try locked { () throws(MappingFailure) in
            let earlier = try keptLines() ?? MappingLines()
            let people = try listed().people
            guard let sum = MappingList(people + lines.people.filter { !people.contains($0) }) else {
                throw .contradiction("\(list.path) has one of these names, object ids or numbers already")
            }
            _ = try files(adding: lines, sum)
            try write(earlier.adding(lines), sum)
        }
    }

    /// Adds the lines of the note that are missing, groups first. Call it after `add` or `release`, and only once PAM
    /// asks entralogin's module about these accounts. Returns false if there is no note.
    package func restore() throws(MappingFailure) -> Bool {
        try locked { () throws(MappingFailure) in
            guard let note = try keptLines() else { return false }
            var lines = note
            lines.passwd = MappingLines.missing(note.passwd, in: try read(passwd))
            lines.group = MappingLines.missing(note.group, in: try read(group))
            let sum = try listed()
            let (users, groups) = try files(adding: lines, sum)
            try write(note, sum)
            if !lines.group.isEmpty { try replace(group, groups) }
            if !lines.passwd.isEmpty { try replace(passwd, users) }
            return true
        }
    }

    /// Removes the accounts and their groups, and notes their records as they are now. The list stays, so that their
    /// names are refused until they are restored. Returns the names whose lines were edited since entralogin wrote
    /// them: those lines stay.
    package func release() throws(MappingFailure) -> [String] {
        try locked { () throws(MappingFailure) in
            guard var note = try keptLines() else { return [] }
            let users = MappingLines.removing(note.passwd, from: try read(passwd))
            let groups = MappingLines.removing(note.group, from: try read(group))
            let now = Set(users.removed.map(MappingLines.name))
            note.passwd = note.passwd.filter { !now.contains(MappingLines.name($0)) } + users.removed
            do throws(FileError) { try kept.replace(with: note.bytes, mode: 0o600) } catch { throw .file(error) }
            if !users.removed.isEmpty { try replace(passwd, users.file) }
            if !groups.removed.isEmpty { try replace(group, groups.file) }
            return Set(users.left + groups.left).sorted()
        }
    }

    /// Removes the note, and its accounts from the list. Call it after `release`, once no user can sign in with
    /// entralogin any more.
    package func forget() throws(MappingFailure) {
        try locked { () throws(MappingFailure) in
            guard let lines = try keptLines() else { return }
            let rest = try listed().people.filter { !lines.people.contains($0) }
            do throws(FileError) {
                if rest.isEmpty {
                    try list.remove()
                } else {
                    try list.replace(with: MappingList(rest)?.bytes ?? [], mode: 0o644)
                }
                try kept.remove()
            } catch { throw .file(error) }
        }
    }

    // MARK: Parts

    /// /etc/passwd and /etc/group with those lines. Throws if the list would not agree with them.
    private func files(
        adding lines: MappingLines,
        _ sum: MappingList
    ) throws(MappingFailure) -> (users: [UInt8], groups: [UInt8]) {
        let users = MappingLines.adding(lines.passwd, to: try read(passwd))
        let groups = MappingLines.adding(lines.group, to: try read(group))
        let added = Set(lines.passwd.map(MappingLines.name))
        let mismatches = LocalAccounts(passwd: users, group: groups, mapped: sum).mismatches
            .filter { added.contains(Substring($0.key.text)) }
        if let mismatch = mismatches.min(by: { $0.key.text < $1.key.text }) {
            throw .contradiction("\(mismatch.key): \(mismatch.value)")
        }
        return (users, groups)
    }

    private func write(_ note: MappingLines, _ sum: MappingList) throws(MappingFailure) {
        do throws(FileError) {
            try kept.replace(with: note.bytes, mode: 0o600)
            try list.replace(with: sum.bytes, mode: 0o644)
        } catch { throw .file(error) }
    }

    private func listed() throws(MappingFailure) -> MappingList {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try list.read(limit: MappingList.byteLimit, requiring: requirement) } catch {
            guard error.isAbsent else { throw .file(error) }
            return MappingList()
        }
        do throws(MappingList.Flaw) { return try MappingList(parsing: bytes) } catch {
            throw .contradiction("\(list.path): \(error)")
        }
    }

    /// Nil if there is no note.
    private func keptLines() throws(MappingFailure) -> MappingLines? {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try kept.read(limit: MappingLines.byteLimit, requiring: requirement) } catch {
            guard error.isAbsent else { throw .file(error) }
            return nil
        }
        guard let lines = MappingLines(parsing: bytes) else {
            throw .contradiction("\(kept.path) is not as entralogin wrote it")
        }
        return lines
    }

    private func read(_ file: AtomicFile) throws(MappingFailure) -> [UInt8] {
        do throws(FileError) { return try file.read(limit: Self.limit, requiring: requirement) } catch {
            throw .file(error)
        }
    }

    private func replace(_ file: AtomicFile, _ bytes: [UInt8]) throws(MappingFailure) {
        do throws(FileError) { try file.replaceKeepingAttributes(with: bytes) } catch { throw .file(error) }
    }

    private func locked<Result>(_ body: () throws(MappingFailure) -> Result) throws(MappingFailure) -> Result {
        guard locks else { return try body() }
        let lock: AccountFilesLock
        do throws(Errno) { lock = try AccountFilesLock() } catch { throw .locked(error) }
        let result = Swift.Result { () throws(MappingFailure) in try body() }
        _ = consume lock
        return try result.get()
    }
}
