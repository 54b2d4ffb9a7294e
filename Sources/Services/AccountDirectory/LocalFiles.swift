// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import LinuxSystem
internal import Synchronization

/// /etc/passwd and /etc/group, read again when they have changed: two stat(2) calls where they have not. The daemon
/// never asks NSS, which would ask us.
final class LocalFiles: Sendable {
    /// Bytes of each file: a hundred thousand accounts have less.
    static let limit = 16 << 20

    private struct Stamps: Equatable {
        var passwd: FileStamp
        var group: FileStamp
    }

    private struct Reading {
        var stamps: Stamps
        var accounts: LocalAccounts
    }

    private let passwd: AtomicFile
    private let group: AtomicFile
    private let last = Mutex<Reading?>(nil)

    init(passwd: String, group: String) {
        self.passwd = AtomicFile(passwd)
        self.group = AtomicFile(group)
    }

    /// What the files say now. A missing or unreadable file is an error: nobody of ours could be told from a local one.
    func current() throws(FileError) -> LocalAccounts {
        // Taken before the files are read: what changes meanwhile is read again next time.
        let stamps = Stamps(passwd: try stamp(of: passwd), group: try stamp(of: group))
        if let accounts = last.withLock({ $0?.stamps == stamps ? $0?.accounts : nil }) { return accounts }
        let accounts = LocalAccounts(
            passwd: try passwd.read(limit: Self.limit, requiring: .ofSystem),
            group: try group.read(limit: Self.limit, requiring: .ofSystem)
        )
        last.withLock { $0 = Reading(stamps: stamps, accounts: accounts) }
        return accounts
    }

    private func stamp(of file: AtomicFile) throws(FileError) -> FileStamp {
        do throws(Errno) { return try FileStamp(of: file.path) } catch {
            throw FileError(path: file.path, step: "stat", problem: .failed(error))
        }
    }
}
