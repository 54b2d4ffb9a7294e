// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What a file must fulfil before its content is trusted.
package struct FileRequirement: Hashable, Sendable {
    /// The uids that may own it; nil: any.
    package var owners: Set<UInt32>?
    /// Permission bits that must not be set.
    package var forbiddenMode: UInt32
    /// A link at the end of the path is followed, and the file may have further names: for the system's own files.
    package var mayBeLink: Bool

    package init(owners: Set<UInt32>? = nil, forbiddenMode: UInt32 = 0, mayBeLink: Bool = false) {
        self.owners = owners
        self.forbiddenMode = forbiddenMode
        self.mayBeLink = mayBeLink
    }

    /// Any plain file, with any owner and mode.
    package static var none: FileRequirement { FileRequirement() }

    /// A file of the system, such as /etc/passwd, wherever it really lies.
    package static var ofSystem: FileRequirement { FileRequirement(mayBeLink: true) }

    /// Owned by that user, and writable by nobody else.
    package static func owned(by owner: UInt32) -> FileRequirement {
        FileRequirement(owners: [owner], forbiddenMode: 0o022)
    }

    /// Owned by root or by this process's user, and writable by nobody else.
    package static var ownOrRoots: FileRequirement {
        FileRequirement(owners: [0, geteuid()], forbiddenMode: 0o022)
    }
}

extension AtomicFile {
    /// The whole file, at most `limit` bytes. Unless the requirement says otherwise, a link at the end of the path and
    /// a second hard link are refused; a FIFO, a folder or a device always is, and nothing waits on one.
    package func read(limit: Int, requiring requirement: FileRequirement = .none) throws(FileError) -> [UInt8] {
        let file: Descriptor
        do throws(Errno) {
            // O_NONBLOCK: opening a FIFO that nobody writes must not hang.
            let link = requirement.mayBeLink ? 0 : O_NOFOLLOW
            file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | link)
        } catch {
            throw FileError(path: path, step: "open", problem: error == .tooManyLinks ? .notPlainFile : .failed(error))
        }
        let size = try checkedSize(of: file, limit: limit, requirement)
        return try bytes(of: file, expecting: size, limit: limit)
    }

    private func checkedSize(
        of file: borrowing Descriptor,
        limit: Int,
        _ requirement: FileRequirement
    ) throws(FileError) -> Int {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else {
            throw FileError(path: path, step: "stat", problem: .failed(.last))
        }
        func refuse(_ problem: FileError.Problem) -> FileError {
            FileError(path: path, step: "check", problem: problem)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw refuse(.notPlainFile) }
        guard status.st_nlink == 1 || requirement.mayBeLink else { throw refuse(.notPlainFile) }
        if let owners = requirement.owners, !owners.contains(status.st_uid) {
            throw refuse(.foreignOwner(status.st_uid))
        }
        let mode = status.st_mode & 0o7777
        guard mode & mode_t(requirement.forbiddenMode) == 0 else { throw refuse(.looseMode(mode)) }
        guard status.st_size <= limit else { throw refuse(.tooLarge(limit: limit)) }
        return Int(status.st_size)
    }

    private func bytes(
        of file: borrowing Descriptor,
        expecting size: Int,
        limit: Int
    ) throws(FileError) -> [UInt8] {
        let content: [UInt8]
        do throws(Errno) {
            content = try readWhole(file.rawValue, expecting: size, limit: limit)
        } catch {
            throw FileError(path: path, step: "read", problem: .failed(error))
        }
        guard content.count <= limit else {
            throw FileError(path: path, step: "read", problem: .tooLarge(limit: limit))
        }
        return content
    }
}
