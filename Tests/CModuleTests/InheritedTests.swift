// SPDX-License-Identifier: Apache-2.0

import CClient
import Glibc
import TestSupport
import Testing

/// Puts a socket that is bound to `path` where systemd puts the first one, and sets LISTEN_PID and LISTEN_FDS.
private func pass(boundTo path: String, to pid: Int32, count: String) {
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafeBytes(of: &address) { bytes in
        bytes.withMemoryRebound(to: sockaddr.self) {
            bind(socket, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard bound == 0, dup2(socket, 3) == 3 else { exit(1) }
    setenv("LISTEN_PID", String(pid), 1)
    setenv("LISTEN_FDS", count, 1)
}

@Suite struct InheritedTests {
    @Test("A socket of systemd's is taken at its own path, by the process that it was passed to, and alone")
    func table() async {
        await #expect(processExitsWith: .exitCode(7)) {
            var template = Array("/tmp/inherited.XXXXXX\0".utf8CString)
            guard mkdtemp(&template) != nil else { exit(1) }
            let folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            let path = "\(folder)/socket"
            var owner = UInt32.max
            pass(boundTo: path, to: getpid(), count: "1")
            guard entralogin_inherited(path, &owner) == 3, owner == geteuid() else { exit(2) }
            guard entralogin_inherited("\(path)2", &owner) == -EBADF else { exit(3) }
            setenv("LISTEN_FDS", "2", 1)
            guard entralogin_inherited(path, &owner) == -EBADF else { exit(4) }
            setenv("LISTEN_FDS", "1", 1)
            setenv("LISTEN_PID", "1", 1)
            guard entralogin_inherited(path, &owner) == -EBADF else { exit(5) }
            setenv("LISTEN_PID", String(getpid()), 1)
            unlink(path)
            guard entralogin_inherited(path, &owner) == -ENOENT else { exit(6) }
            close(Glibc.open(path, O_CREAT | O_WRONLY, 0o600))
            guard entralogin_inherited(path, &owner) == -ENOTSOCK else { exit(8) }
            unlink(path)
            guard dup2(STDERR_FILENO, 3) == 3, entralogin_inherited(path, &owner) == -EBADF else { exit(9) }
            rmdir(folder)
            exit(7)
        }
    }
}
