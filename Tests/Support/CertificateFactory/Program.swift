// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The factory failed. The description says what failed, and what the program printed.
package struct CertificateFactoryError: Error, Sendable, CustomStringConvertible {
    package let description: String
}

/// Runs programs, and reads and writes files, with system calls alone.
enum Program {
    /// Runs a program of PATH to its end, without input, with its output in a file. Unless it exits with 0 or `mayFail`
    /// is set, throws what it wrote to standard error.
    static func run(
        _ arguments: [String],
        outputPath: String,
        mayFail: Bool = false
    ) throws(CertificateFactoryError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let errorPath = outputPath + ".errors"
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)

        var strings = arguments.map { strdup($0) }
        defer { for string in strings { free(string) } }
        strings.append(nil)
        var pid = pid_t()
        let started = posix_spawnp(&pid, arguments[0], &actions, nil, strings, environ)
        guard started == 0 else { throw failure(arguments, "posix_spawnp: \(String(cString: strerror(started)))") }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw failure(arguments, "waitpid: \(String(cString: strerror(errno)))") }
        }
        guard status == 0 || mayFail else {
            let output = (try? read(errorPath)).map { String(decoding: $0.prefix(1_024), as: UTF8.self) }
            throw failure(arguments, "status \(status): \(output ?? "")")
        }
    }

    static func write(_ bytes: some Collection<UInt8>, to path: String) throws(CertificateFactoryError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(["open", path], String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw failure(["write", path], String(cString: strerror(errno))) }
            rest = rest.dropFirst(count)
        }
    }

    static func read(_ path: String) throws(CertificateFactoryError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(["open", path], String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &part, part.count)
            guard count >= 0 else { throw failure(["read", path], String(cString: strerror(errno))) }
            guard count > 0 else { return bytes }
            bytes += part.prefix(count)
        }
    }

    static func makeTemporaryFolder() throws(CertificateFactoryError) -> String {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var path = Array("\(parent)/certificate-factory.XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else { throw failure(["mkdtemp"], String(cString: strerror(errno))) }
        return String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Removes a folder of plain files; what cannot be removed stays.
    static func removeFolder(_ path: String) {
        guard let folder = opendir(path) else { return }
        while let entry = Glibc.readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { unlink("\(path)/\(name)") }
        }
        closedir(folder)
        rmdir(path)
    }

    private static func failure(_ arguments: [String], _ text: String) -> CertificateFactoryError {
        CertificateFactoryError(description: "\(arguments.joined(separator: " ")): \(text)")
    }
}
