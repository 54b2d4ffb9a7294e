// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct UnixSocketTests {
    let folder = TemporaryFolder()

    private var path: String { "\(folder.path)/s" }

    private func mode(of path: String) -> UInt32 {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    /// A socket at the path as another program may have left it, listening if `listens`.
    private func foreignSocket(_ type: __socket_type, listens: Bool) -> Descriptor {
        let socket = Glibc.socket(AF_UNIX, Int32(type.rawValue), 0)
        precondition(socket >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                bind(socket, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(bound == 0)
        if listens { precondition(listen(socket, 1) == 0) }
        return Descriptor(takingOwnership: socket)
    }

    @Test func `messages keep their bounds in both directions, and the end is told`() throws {
        let listener = try UnixListener(makingAt: path, mode: 0o600)
        #expect(try acceptedPeer(listener) == nil)
        let client = try UnixConnection(connectingTo: path)
        guard let server = try listener.accept() else {
            Issue.record("no connection waits")
            return
        }
        var buffer = [UInt8](repeating: 0, count: 65536)
        #expect(try server.receive(into: &buffer) == .notYet)
        try client.send([1, 2, 3])
        try client.send([4])
        #expect(try server.receive(into: &buffer) == .message(3))
        #expect(Array(buffer[..<3]) == [1, 2, 3])
        #expect(try server.receive(into: &buffer) == .message(1))
        let longest = [UInt8](repeating: 7, count: 65536)
        try server.send(longest)
        #expect(try client.receive(into: &buffer) == .message(65536))
        #expect(buffer == longest)
        closing(server)
        #expect(try client.receive(into: &buffer) == .closed)
        #expect(throws: Errno(EPIPE)) { try client.send([1]) }
    }

    private var ourselves: PeerCredentials { PeerCredentials(pid: getpid(), uid: geteuid(), gid: getegid()) }

    private func acceptedPeer(_ listener: borrowing UnixListener) throws -> PeerCredentials? {
        guard let connection = try listener.accept() else { return nil }
        return connection.peer
    }

    private func closing(_ connection: consuming UnixConnection) {}

    @Test(arguments: [0, 1, 99])
    func `P13: a message longer than the buffer is told apart from one that fits`(capacity: Int) throws {
        let listener = try UnixListener(makingAt: path, mode: 0o600)
        let client = try UnixConnection(connectingTo: path)
        guard let server = try listener.accept() else {
            Issue.record("no connection waits")
            return
        }
        try client.send([UInt8](repeating: 1, count: 100))
        try client.send([2])
        var buffer = [UInt8](repeating: 0, count: capacity)
        #expect(try server.receive(into: &buffer) == .tooLong)
        buffer = [0]
        #expect(try server.receive(into: &buffer) == .message(1))
        #expect(buffer == [2])
    }

    @Test func `P10: both ends learn from the kernel who the other is`() throws {
        let listener = try UnixListener(makingAt: path, mode: 0o600)
        let client = try UnixConnection(connectingTo: path)
        guard let server = try listener.accept() else {
            Issue.record("no connection waits")
            return
        }
        #expect(server.peer == ourselves)
        #expect(client.peer == ourselves)
    }

    @Test(arguments: [0o600, 0o660, 0o666] as [UInt32])
    func `P10: the inode has exactly the mode asked for`(mode: UInt32) throws {
        let listener = try UnixListener(makingAt: path, mode: mode, group: getegid())
        #expect(self.mode(of: path) == mode)
        #expect(self.mode(of: path + ".lock") == 0o600)
        listener.close()
        #expect(folder.names == ["s.lock"])
    }

    @Test func `a second server is refused, and the first goes on`() throws {
        let first = try UnixListener(makingAt: path, mode: 0o600)
        let error = #expect(throws: SocketError.self) { _ = try UnixListener(makingAt: path, mode: 0o600) }
        #expect(error == SocketError(.secondServer, path: path))
        #expect(error?.description.contains(path) == true)
        _ = try UnixConnection(connectingTo: path)
        #expect(try acceptedPeer(first) == ourselves)
    }

    @Test(arguments: [SOCK_SEQPACKET, SOCK_STREAM])
    func `a living server without our lock is refused too`(type: __socket_type) throws {
        let living = foreignSocket(type, listens: true)
        #expect(throws: SocketError(.secondServer, path: path)) { _ = try UnixListener(makingAt: path, mode: 0o600) }
        #expect(living.rawValue >= 0)
        #expect(folder.names.contains("s"))
    }

    @Test func `the socket of a dead server is replaced`() throws {
        try foreignSocket(SOCK_SEQPACKET, listens: true).close()
        let listener = try UnixListener(makingAt: path, mode: 0o600)
        _ = try UnixConnection(connectingTo: path)
        #expect(try acceptedPeer(listener) == ourselves)
    }

    @Test func `something that is not a socket, even a link to one, is left alone`() throws {
        let file = try Descriptor.open(path, O_CREAT | O_WRONLY, mode: 0o600)
        #expect(file.rawValue >= 0)
        #expect(throws: SocketError(.notASocket, path: path)) { _ = try UnixListener(makingAt: path, mode: 0o600) }
        #expect(unlink(path) == 0)
        #expect(symlink("/run/elsewhere", path) == 0)
        #expect(throws: SocketError(.notASocket, path: path)) { _ = try UnixListener(makingAt: path, mode: 0o600) }
        #expect(folder.names.contains("s"))
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a socket away"))
    func `somebody else's dead socket is left alone`() throws {
        try foreignSocket(SOCK_SEQPACKET, listens: false).close()
        #expect(lchown(path, 65534, 65534) == 0)
        #expect(throws: SocketError(.foreignOwner(65534), path: path)) {
            _ = try UnixListener(makingAt: path, mode: 0o600)
        }
        #expect(folder.names.contains("s"))
    }

    @Test func `a path that does not fit is refused by name`() {
        let long = "\(folder.path)/" + String(repeating: "x", count: 108)
        #expect(throws: SocketError(.pathTooLong, path: long)) { _ = try UnixListener(makingAt: long, mode: 0o600) }
    }

    @Test func `an inherited listener is taken over when it is the right one`() throws {
        let inherited = foreignSocket(SOCK_SEQPACKET, listens: true)
        let listener = try UnixListener(adopting: inherited, expectedPath: path)
        #expect(fcntl(listener.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(try acceptedPeer(listener) == nil)
        let client = try UnixConnection(connectingTo: path)
        #expect(client.peer.pid == getpid())
        #expect(try acceptedPeer(listener) == ourselves)
        listener.close()
        #expect(folder.names == ["s"])
    }

    @Test func `an inherited listener elsewhere, of another type, or not listening is refused`() throws {
        let elsewhere = foreignSocket(SOCK_SEQPACKET, listens: true)
        #expect(throws: SocketError(.wrongPath(path), path: "/run/x.sock")) {
            _ = try UnixListener(
                adopting: Descriptor(takingOwnership: dup(elsewhere.rawValue)),
                expectedPath: "/run/x.sock"
            )
        }
        #expect(unlink(path) == 0)
        let stream = foreignSocket(SOCK_STREAM, listens: true)
        #expect(throws: SocketError(.wrongKind, path: path)) {
            _ = try UnixListener(adopting: Descriptor(takingOwnership: dup(stream.rawValue)), expectedPath: path)
        }
        #expect(unlink(path) == 0)
        let silent = foreignSocket(SOCK_SEQPACKET, listens: false)
        #expect(throws: SocketError(.wrongKind, path: path)) {
            _ = try UnixListener(adopting: Descriptor(takingOwnership: dup(silent.rawValue)), expectedPath: path)
        }
    }
}
