// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file and the `*.conf` of the folder `FILE.d`, in the order of their names: how settings are laid out on a system
/// with packages (systemd.unit(5), drop-ins).
package struct FileWithDropIns: Sendable {
    package struct Part: Hashable, Sendable {
        package let path: String
        package let bytes: [UInt8]
    }

    /// Bytes of one part.
    package static let partLimit = 1 << 20

    private let path: String

    package init(_ path: String) { self.path = path }

    /// Every part, the file first. Nothing is passed over: a part that cannot be read, is not plain, or that others than
    /// root and this process's user can write is an error, and so is a folder that cannot be listed. The file itself may
    /// be missing only where `mayBeMissing`.
    package func read(mayBeMissing: Bool) throws(FileError) -> [Part] {
        var parts: [Part] = []
        do throws(FileError) {
            parts.append(try part(path))
        } catch {
            guard error.isAbsent, mayBeMissing else { throw error }
        }
        for dropIn in try dropIns() { parts.append(try part(dropIn)) }
        return parts
    }

    private func part(_ path: String) throws(FileError) -> Part {
        Part(path: path, bytes: try AtomicFile(path).read(limit: Self.partLimit, requiring: .ownOrRoots))
    }

    private func dropIns() throws(FileError) -> [String] {
        let folder = path + ".d"
        guard let stream = opendir(folder) else {
            let error = FileError(path: folder, step: "open", problem: .failed(.last))
            guard error.isAbsent else { throw error }
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name.hasSuffix(".conf"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { "\(folder)/\($0)" }
    }
}
