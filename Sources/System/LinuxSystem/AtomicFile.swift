// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A file that is replaced as a whole or not at all (P14), and checked before it is read (P13).
///
/// One writer at a time: the temporary name is fixed, so that the next write removes what a crash left behind. Every
/// call blocks on the disk.
package struct AtomicFile: Sendable {
    /// The steps of a replacement, in order: the places where a crash or a full disk can strike.
    package enum Step: String, Sendable, CaseIterable {
        case openFolder = "open folder"
        case removeLeftover = "remove left-over"
        case create
        /// Before each piece.
        case write
        case setMode = "set mode"
        case sync
        case rename
        /// The new file is in its place by now, but a power cut may still bring the old one back.
        case syncFolder = "sync folder"
    }

    /// Called before each step; what it throws is that step's failure. Tests use it to simulate a failing disk.
    package typealias FaultPoint = @Sendable (Step) throws(Errno) -> Void

    package let path: String
    /// The folder that holds it.
    package let folder: String
    private let temporaryPath: String
    private let pieceSize: Int
    private let faultPoint: FaultPoint

    /// `path` is absolute. At most `pieceSize` bytes are written between two fault points.
    package init(_ path: String, pieceSize: Int = 1 << 20, faultPoint: @escaping FaultPoint = { _ throws(Errno) in }) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        self.path = path
        folder = slash == path.startIndex ? "/" : String(path[..<slash])
        temporaryPath = "\(path[..<slash])/.\(path[slash...].drop { $0 == "/" }).new"
        self.pieceSize = max(pieceSize, 1)
        self.faultPoint = faultPoint
    }

    /// Puts `bytes` in the file's place. It returns when they are on disk under their name.
    ///
    /// If it throws up to `rename`, the old file is untouched and the temporary one is gone. If `syncFolder` fails, the
    /// new file is in place and whole, but may not survive a power cut: write again.
    package func replace(with bytes: [UInt8], mode: UInt32) throws(FileError) {
        try replace(with: { (append) throws(FileError) in try append(bytes[...]) }, mode: mode)
    }

    /// Appends bytes to the new file.
    package typealias Append = (ArraySlice<UInt8>) throws(FileError) -> Void

    /// The same with what `content` appends piece by piece: it need not be in memory as a whole.
    package func replace(with content: (Append) throws(FileError) -> Void, mode: UInt32) throws(FileError) {
        try replace(with: content, attributes: .mode(mode))
    }

    /// The same for a file that other programs change, too, such as /etc/passwd: the new one gets owner, mode and
    /// SELinux label of the old one, which must be there.
    package func replaceKeepingAttributes(with bytes: [UInt8]) throws(FileError) {
        try replace(with: { (append) throws(FileError) in try append(bytes[...]) }, attributes: .asBefore)
    }

    /// What the new file has besides its content.
    private enum Attributes {
        case mode(UInt32)
        case asBefore
    }

    private func replace(
        with content: (Append) throws(FileError) -> Void,
        attributes: Attributes
    ) throws(FileError) {
        let opened = try attempt(.openFolder) { () throws(Errno) in
            try Descriptor.open(folder, O_RDONLY | O_DIRECTORY)
        }
        try attempt(.removeLeftover) { () throws(Errno) in
            guard unlink(temporaryPath) == 0 || errno == ENOENT else { throw Errno.last }
        }
        do throws(FileError) {
            try writeTemporary(content, attributes)
            try attempt(.rename) { () throws(Errno) in
                guard Glibc.rename(temporaryPath, path) == 0 else { throw Errno.last }
            }
        } catch {
            _ = unlink(temporaryPath)
            throw error
        }
        try attempt(.syncFolder) { () throws(Errno) in
            _ = try retryingOnInterrupt { fsync(opened.rawValue) }
        }
    }

    /// Removes the file. No error if there is none.
    package func remove() throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw FileError(path: path, step: "remove", problem: .failed(.last))
        }
    }

    private func writeTemporary(
        _ content: (Append) throws(FileError) -> Void,
        _ attributes: Attributes
    ) throws(FileError) {
        let file = try attempt(.create) { () throws(Errno) in
            try Descriptor.open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        }
        let number = file.rawValue
        try content { (bytes) throws(FileError) in
            var rest = bytes
            while !rest.isEmpty {
                let piece = rest.prefix(pieceSize)
                rest = rest.dropFirst(
                    try attempt(.write) { () throws(Errno) in
                        try retryingOnInterrupt {
                            piece.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
                        }
                    }
                )
            }
        }
        // After the umask, and before the name appears: nobody sees it with another mode.
        try attempt(.setMode) { () throws(Errno) in
            switch attributes {
            case .mode(let mode): _ = try retryingOnInterrupt { fchmod(file.rawValue, mode_t(mode)) }
            case .asBefore:
                let old = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
                try checked(clinux_copy_attributes(old.rawValue, file.rawValue))
            }
        }
        try attempt(.sync) { () throws(Errno) in
            _ = try retryingOnInterrupt { fsync(file.rawValue) }
        }
    }

    private func attempt<Result: ~Copyable>(
        _ step: Step,
        _ body: () throws(Errno) -> Result
    ) throws(FileError) -> Result {
        do throws(Errno) {
            try faultPoint(step)
            return try body()
        } catch {
            throw FileError(path: path, step: step.rawValue, problem: .failed(error))
        }
    }
}

extension FileError {
    /// True if the file was replaced, and only its survival of a power cut is not certain.
    package var isInPlace: Bool { step == AtomicFile.Step.syncFolder.rawValue }
}
