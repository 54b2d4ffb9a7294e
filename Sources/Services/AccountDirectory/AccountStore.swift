// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity
package import LinuxSystem

/// Why the account store cannot be trusted. While there is a fault, no Entra account can sign in and the file is not
/// overwritten.
package struct StoreFault: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    /// The line, from 1; nil for the whole file.
    package let line: Int?
    package let problem: String
    package let remedy: String

    package var description: String {
        "\(path)\(line.map { ": line \($0)" } ?? ""): \(problem). \(remedy)"
    }

    static let restore = """
        Restore the file from a backup, or repair the disk, and reload entralogind. \
        Until then no Entra account can sign in, and nothing of it is overwritten
        """
}

/// The durable table: a text file, written whole, with a checksum, read strictly.
package struct AccountStore: Sendable {
    package struct Content: Sendable {
        package var table: AccountTable
        /// Grows by one with every change of the table.
        package var generation: UInt64

        package init(table: AccountTable, generation: UInt64) {
            self.table = table
            self.generation = generation
        }
    }

    let file: AtomicFile
    private let text = ChecksummedText(name: StoreFormat.name, version: StoreFormat.version)

    package init(_ file: AtomicFile) { self.file = file }

    /// Returns when the table is on disk.
    package func save(_ content: Content) throws(FileError) {
        try file.replace(with: bytes(of: content), mode: 0o600)
    }

    /// The only encoding of this content.
    package func bytes(of content: Content) -> [UInt8] {
        let accounts = content.table.accounts
        return text.bytes(count: accounts.count + 1) { bytes in
            bytes += "\(StoreFormat.line(generation: content.generation))\n".utf8
            for account in accounts {
                StoreFormat.write(account, to: &bytes)
                bytes.append(UInt8(ascii: "\n"))
            }
        }
    }

    /// Nil if there is no file. An invalid file is a fault, never an empty table.
    package func load() throws(StoreFault) -> Content? {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try file.read(limit: StoreFormat.fileLimit, requiring: .ownOrRoots)
        } catch {
            if error.isAbsent { return nil }
            throw StoreFault(path: file.path, line: nil, problem: "\(error)", remedy: StoreFault.restore)
        }
        return try content(of: bytes)
    }

    /// Reads the bytes of a store.
    package func content(of bytes: [UInt8]) throws(StoreFault) -> Content {
        let lines: [Substring]
        do throws(ChecksummedText.Flaw) { lines = try text.lines(of: bytes) } catch { throw fault(of: error) }
        guard let first = lines.first, let generation = StoreFormat.generation(from: first) else {
            throw fault(line: 2, "does not say the generation")
        }
        var accounts: [EnrolledAccount] = []
        accounts.reserveCapacity(lines.count)
        for (index, line) in lines.dropFirst().enumerated() {
            guard let account = StoreFormat.account(from: line) else {
                throw fault(line: index + 3, "is not an account as entralogin writes it")
            }
            accounts.append(account)
        }
        return Content(table: try table(of: accounts), generation: generation)
    }

    private func table(of accounts: [EnrolledAccount]) throws(StoreFault) -> AccountTable {
        do throws(AccountConflict) { return try AccountTable(accounts) } catch {
            throw fault(line: line(ofFirstConflictIn: accounts), "takes the name, number, home or object id of another")
        }
    }

    private func line(ofFirstConflictIn accounts: [EnrolledAccount]) -> Int {
        // Binary search: a longer prefix keeps the conflicts of a shorter one.
        var sound = 0
        var bad = accounts.count
        while bad - sound > 1 {
            let middle = (sound + bad) / 2
            if (try? AccountTable(Array(accounts.prefix(middle)))) == nil { bad = middle } else { sound = middle }
        }
        return bad + 2
    }

    private func fault(line: Int?, _ problem: String, remedy: String = StoreFault.restore) -> StoreFault {
        StoreFault(path: file.path, line: line, problem: problem, remedy: remedy)
    }

    private func fault(of flaw: ChecksummedText.Flaw) -> StoreFault {
        switch flaw {
        case .notText(let line): fault(line: line, "is not text in UTF-8")
        case .otherFile: fault(line: 1, "is not the first line of an account store")
        case .unknownVersion(let version):
            fault(
                line: 1,
                "has version \"\(plainText(version, limit: 64))\", and this entralogind reads version \(StoreFormat.version) only",
                remedy: "Install the version of entralogin that wrote the file; it is not overwritten"
            )
        case .cutOff(let line): fault(line: line, "ends before its last line: the file was cut off")
        case .wrongCount(let line): fault(line: line, "does not name the number of lines: some were lost or added")
        case .wrongChecksum(let line): fault(line: line, "has another checksum: the file was changed or damaged")
        }
    }
}
