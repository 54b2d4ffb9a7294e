// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import LinuxSystem

/// The machine that this process runs on.
package struct LiveMachine: HostView {
    private static let textLimit = 1 << 20

    private let runner: any ProgramRunner

    package init(runner: any ProgramRunner) { self.runner = runner }

    package func run(_ path: String, _ arguments: [String]) -> ProgramResult {
        let result = runner.run(path, arguments)
        guard result.status != 0, let folder = LiveMachine.missingFolder(named: result.complaint) else { return result }
        // Debian's sshd does not even test its configuration without the folder that its unit makes at start.
        guard mkdir(folder, 0o755) == 0 else { return result }
        return runner.run(path, arguments)
    }

    /// The folder below /run that sshd reports as missing.
    static func missingFolder(named complaint: String) -> String? {
        let words = "Missing privilege separation directory: "
        guard let line = complaint.lines.first(where: { $0.hasPrefix(words) }) else { return nil }
        let path = line.dropFirst(words.count).filter { $0 != "\r" }
        guard path.hasPrefix("/run/"), !path.contains("..") else { return nil }
        return String(path)
    }

    package func text(of path: String) throws(FileAbsence) -> String {
        try text(of: path, limit: LiveMachine.textLimit)
    }

    package func text(of path: String, limit: Int) throws(FileAbsence) -> String {
        let bytes: [UInt8]
        do throws(Errno) {
            // Links are followed: /etc/pam.d and /etc/nsswitch.conf are full of them on some distributions.
            bytes = try LiveMachine.read(path, limit: limit)
        } catch {
            throw LiveMachine.absence(error)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func read(_ path: String, limit: Int) throws(Errno) -> [UInt8] {
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        var status = stat()
        guard fstat(file.rawValue, &status) == 0 else { throw Errno.last }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else { throw Errno.invalidArgument }
        // Files of /proc report a size of zero.
        let limit = max(min(limit, textLimit), Int(status.st_size))
        let content = try readWhole(file.rawValue, expecting: max(4096, Int(status.st_size)), limit: limit)
        guard content.count <= limit else { throw Errno.invalidArgument }
        return content
    }

    package func status(of path: String) throws(FileAbsence) -> FileStatus { try LiveMachine.status(at: path) }

    static func status(at path: String) throws(FileAbsence) -> FileStatus {
        var status = stat()
        guard stat(path, &status) == 0 else { throw absence(Errno.last) }
        let kind: FileStatus.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        return FileStatus(
            kind: kind,
            owner: status.st_uid,
            group: status.st_gid,
            mode: status.st_mode & 0o7777,
            device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino),
            size: Int64(status.st_size),
            modified: nanoseconds(status.st_mtim),
            changed: nanoseconds(status.st_ctim)
        )
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        let (product, overflow) = Int64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product + Int64(time.tv_nsec)
    }

    private static func absence(_ error: Errno) -> FileAbsence {
        if error == .noEntry || error.code == ENOTDIR { return .absent }
        if error == .permissionDenied || error == .notPermitted { return .forbidden }
        return .failed(error.description)
    }

    package func paths(matching pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0, let list = found.gl_pathv else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { list[$0].map { String(cString: $0) } }
    }

    package func complaintOnLoading(module path: String) -> String? {
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            return dlerror().map { String(cString: $0) } ?? "no reason given"
        }
        dlclose(handle)
        return nil
    }

    package func isRunning(pid: Int32) -> Bool { pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) }
}
