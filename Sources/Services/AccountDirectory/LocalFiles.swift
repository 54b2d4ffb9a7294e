// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import LinuxSystem
internal import Synchronization

/// /etc/passwd, /etc/group and root's list of mapped accounts, read again only if they have changed; otherwise three
/// stat(2) calls. The daemon never asks NSS, which would ask the daemon.
final class LocalFiles: Sendable {
    /// Bytes of each file: a hundred thousand accounts take less.
    static let limit = 16 << 20

    struct Stamps: Equatable, Sendable {
        var passwd: FileStamp
        var group: FileStamp
        /// Nil if there is no list.
        var mapped: FileStamp?
    }

    private struct Reading {
        var stamps: Stamps
        var accounts: LocalAccounts
        var listFault: String?
    }

    private let passwd: AtomicFile
    private let group: AtomicFile
    private let mapped: AtomicFile
    private let last = Mutex<Reading?>(nil)

    private let listRequirement: FileRequirement

    /// `root` owns the list.
    init(passwd: String, group: String, mapped: String, root: UInt32) {
        self.passwd = AtomicFile(passwd)
        self.group = AtomicFile(group)
        self.mapped = AtomicFile(mapped)
        listRequirement = .owned(by: root)
    }

    /// Why root's list was rejected when it was last read; nil if it is valid or absent.
    var listFault: String? { last.withLock { $0?.listFault } }

    /// The current stamps of the three files.
    func stamps() throws(FileError) -> Stamps {
        Stamps(
            passwd: try stamp(of: passwd),
            group: try stamp(of: group),
            mapped: try? FileStamp(of: mapped.path)
        )
    }

    /// The current content. A missing or unreadable file is an error: an Entra account could not be told from a local
    /// one.
    func current() throws(FileError) -> LocalAccounts {
        // Taken before the files are read: a change meanwhile causes another read next time.
        let stamps = try stamps()
        if let accounts = last.withLock({ $0?.stamps == stamps ? $0?.accounts : nil }) { return accounts }
        let (list, fault) = stamps.mapped == nil ? (MappingList(), nil) : readList()
        let accounts = LocalAccounts(
            passwd: try passwd.read(limit: Self.limit, requiring: .ofSystem),
            group: try group.read(limit: Self.limit, requiring: .ofSystem),
            mapped: list
        )
        last.withLock { $0 = Reading(stamps: stamps, accounts: accounts, listFault: fault) }
        return accounts
    }

    /// An invalid list counts as empty: the accounts that it names are then local, and refused (P7).
    private func readList() -> (MappingList, fault: String?) {
        do {
            let bytes = try mapped.read(limit: MappingList.byteLimit, requiring: listRequirement)
            return (try MappingList(parsing: bytes), nil)
        } catch let flaw as MappingList.Flaw {
            return (MappingList(), "\(mapped.path): \(flaw); the people in it are refused")
        } catch {
            return (MappingList(), "\(error); the people in it are refused")
        }
    }

    private func stamp(of file: AtomicFile) throws(FileError) -> FileStamp {
        do throws(Errno) { return try FileStamp(of: file.path) } catch {
            throw FileError(path: file.path, step: "stat", problem: .failed(error))
        }
    }
}
