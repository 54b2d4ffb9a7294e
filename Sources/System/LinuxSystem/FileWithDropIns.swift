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

    /// Every part, the file first. Nothing is skipped: a part that cannot be read, is not plain, or that others than
    /// root and this process's user can write is an error, and so is a folder that cannot be listed, is a link, or that
    /// others can write. The file itself may be missing only where `mayBeMissing`.
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

    /// Nil if there is no folder. A user who can write the folder could remove parts, or add a file that stops the
    /// start: so the folder must meet the same rule as a part. A link is refused, because others may own a folder on
    /// the way to its target.
    private static func open(_ folder: String) throws(FileError) -> OpaquePointer? {
        let number = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard number >= 0 else {
            let reason = Errno.last
            var status = stat()
            let isLink = lstat(folder, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
            let error = FileError(path: folder, step: "open", problem: isLink ? .notPlainFolder : .failed(reason))
            guard error.isAbsent else { throw error }
            return nil
        }
        var status = stat()
        let problem: FileError.Problem? =
            if fstat(number, &status) != 0 {
                .failed(.last)
            } else if status.st_uid != 0 && status.st_uid != geteuid() {
                .foreignOwner(status.st_uid)
            } else if status.st_mode & 0o022 != 0 {
                .looseMode(status.st_mode & 0o7777)
            } else {
                nil
            }
        if let problem {
            close(number)
            throw FileError(path: folder, step: "check", problem: problem)
        }
        guard let stream = fdopendir(number) else {
            let error = FileError(path: folder, step: "open", problem: .failed(.last))
            close(number)
            throw error
        }
        return stream
    }

    private func dropIns() throws(FileError) -> [String] {
        let folder = path + ".d"
        guard let stream = try FileWithDropIns.open(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name.hasSuffix(".conf"), !name.hasPrefix(".") { names.append(name) }
            errno = 0
        }
        // readdir(3) returns NULL at the end and after an error alike; only errno tells.
        if errno != 0 { throw FileError(path: folder, step: "read", problem: .failed(.last)) }
        return names.sorted().map { "\(folder)/\($0)" }
    }
}
