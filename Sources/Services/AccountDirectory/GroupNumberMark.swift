// SPDX-License-Identifier: Apache-2.0

internal import Identity
package import LinuxSystem

/// The highest number that an Entra group was given, in a file beside the store: by it a store that is lost, or an
/// older one that was put back, is noticed before a number goes to a second group.
package struct GroupNumberMark: Sendable {
    private static let fileLimit = 1 << 10

    let file: AtomicFile
    private let text = ChecksummedText(name: "entralogin-groups-given", version: 1)

    package init(_ file: AtomicFile) { self.file = file }

    /// Returns when it is on disk.
    package func save(_ gid: UInt32) throws(FileError) {
        try file.replace(with: text.bytes(of: ["\(gid)"]), mode: 0o600)
    }

    /// Nil where there is no file. One that is bad is a fault: whether the store is the last one is not known then.
    package func load() throws(StoreFault) -> UInt32? {
        let bytes: [UInt8]
        do throws(FileError) { bytes = try file.read(limit: Self.fileLimit, requiring: .ownOrRoots) } catch {
            if error.isAbsent { return nil }
            throw fault("\(error)")
        }
        let lines: [Substring]
        do throws(ChecksummedText.Flaw) { lines = try text.lines(of: bytes) } catch { throw fault("\(error)") }
        guard lines.count == 1, let gid = UInt32(lines[0]), "\(gid)" == lines[0], GroupNumbers.range.contains(gid)
        else { throw fault("is not a number as entralogin writes it") }
        return gid
    }

    private func fault(_ problem: String) -> StoreFault {
        let remedy = "Restore it from a backup; or remove it, where the numbers beside it are known to be the last ones"
        return StoreFault(path: file.path, line: nil, problem: problem, remedy: remedy)
    }
}
