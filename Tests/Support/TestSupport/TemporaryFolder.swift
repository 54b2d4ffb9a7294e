// SPDX-License-Identifier: Apache-2.0

package import Glibc

/// A new folder below /tmp, mode 0755. It is removed with its contents when the object is released.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() {
        var template = Array("/tmp/entralogin-test.XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress, let made = mkdtemp(start) else {
                preconditionFailure("no temporary folder: errno \(errno)")
            }
            return String(cString: made)
        }
        chmod(path, 0o755)
    }

    deinit { Self.remove(path) }

    /// The path of a name in it.
    package func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// The names in it, sorted.
    package var names: [String] { Self.names(in: path) }

    package static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Writes a file and returns its path.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String, mode: mode_t = 0o644) -> String {
        let path = self(name)
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        precondition(descriptor >= 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        fchmod(descriptor, mode)
        close(descriptor)
        return path
    }

    private static func remove(_ folder: String) {
        for name in names(in: folder) {
            let child = "\(folder)/\(name)"
            if unlink(child) != 0 { remove(child) }
        }
        rmdir(folder)
    }
}
