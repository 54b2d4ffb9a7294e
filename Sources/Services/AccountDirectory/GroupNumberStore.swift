// SPDX-License-Identifier: Apache-2.0

package import Identity
package import LinuxSystem

/// The numbers of Entra groups on disk, for ever: a text file, written whole, with a checksum, read strictly.
///
///     TENANT OBJECT GID
///
/// With a mark beside it, by which its loss is noticed.
package struct GroupNumberStore: Sendable {
    /// Bytes: more than one line for each number of the range.
    private static let fileLimit = 1 << 18

    let file: AtomicFile
    private let mark: GroupNumberMark
    private let text = ChecksummedText(name: "entralogin-groups", version: 1)

    package init(_ file: AtomicFile, mark: GroupNumberMark) {
        self.file = file
        self.mark = mark
    }

    /// The one way to write these numbers.
    package func bytes(of numbers: GroupNumbers) -> [UInt8] {
        text.bytes(of: numbers.bindings.map { "\($0.group.tenant) \($0.group.objectID) \($0.gid)" })
    }

    /// Returns when they and their mark are on disk. In this order: a mark is never ahead of its store.
    package func save(_ numbers: GroupNumbers) throws(FileError) {
        try file.replace(with: bytes(of: numbers), mode: 0o600)
        if let last = numbers.last { try mark.save(last) }
    }

    /// None where no number was ever given. A store that is bad, lost or older than its mark is a fault, never an empty
    /// one: a number would go to another group, and with it the files that bear it.
    package func load() throws(StoreFault) -> GroupNumbers {
        let given = try mark.load()
        let bytes: [UInt8]
        do throws(FileError) { bytes = try file.read(limit: Self.fileLimit, requiring: .ownOrRoots) } catch {
            guard error.isAbsent else { throw fault("\(error)") }
            guard let given else { return GroupNumbers() }
            throw fault("is missing, but numbers up to \(given) were given by it", orRemove: mark.file.path)
        }
        let numbers = try numbers(of: bytes)
        if let given, numbers.last ?? 0 < given {
            throw fault("is older than the last number that was given, \(given)", orRemove: mark.file.path)
        }
        if let last = numbers.last, last != given {
            do throws(FileError) { try mark.save(last) } catch { throw fault("\(error)") }
        }
        return numbers
    }

    /// Reads the bytes of a store.
    package func numbers(of bytes: [UInt8]) throws(StoreFault) -> GroupNumbers {
        let lines: [Substring]
        do throws(ChecksummedText.Flaw) { lines = try text.lines(of: bytes) } catch { throw fault("\(error)") }
        var stored: [(group: GroupNumbers.Group, gid: UInt32)] = []
        for (index, line) in lines.enumerated() {
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard fields.count == 3, let tenant = TenantID(fields[0]), let objectID = ObjectID(fields[1]),
                let gid = UInt32(fields[2]), "\(tenant) \(objectID) \(gid)" == line
            else { throw fault("is not a group as entralogin writes it", line: index + 2) }
            stored.append((GroupNumbers.Group(tenant: tenant, objectID: objectID), gid))
        }
        guard let numbers = GroupNumbers(stored) else { throw fault("gives a group or a number twice") }
        return numbers
    }

    /// `other`: what to remove to do without the numbers of before.
    private func fault(_ problem: String, line: Int? = nil, orRemove other: String? = nil) -> StoreFault {
        let anew = other.map { "; or, to give new numbers, which files of before do not know, remove \($0)" } ?? ""
        let remedy =
            "Restore it from a backup\(anew). Until then no Entra group is a Unix group; it is read again by itself"
        return StoreFault(path: file.path, line: line, problem: problem, remedy: remedy)
    }
}
