// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct UnixStreamTests {
    let folder = TemporaryFolder()

    private var path: String { "\(folder.path)/s" }

    @Test func `bytes come as they are, without bounds, and the end is told`() throws {
        let listener = try UnixListener(makingAt: path, mode: 0o666, type: .stream)
        let client = try UnixStream(connectingTo: path)
        guard let server = try listener.acceptStream() else {
            Issue.record("no connection waits")
            return
        }
        #expect(server.peer == PeerCredentials(pid: getpid(), uid: geteuid(), gid: getegid()))
        #expect(try server.receive(limit: 10) == .notYet)
        #expect(try client.send([1, 2, 3]) == 3)
        #expect(try client.send([4][...]) == 1)
        #expect(try server.receive(limit: 2) == .bytes([1, 2]))
        #expect(try server.receive(limit: 100) == .bytes([3, 4]))
        ending(client)
        #expect(try server.receive(limit: 1) == .closed)
        #expect(throws: Errno(EPIPE)) { try server.send([1]) }
    }

    private func ending(_ stream: consuming UnixStream) {}

    @Test func `a peer that does not read takes what fits, and then nothing`() throws {
        let listener = try UnixListener(makingAt: path, mode: 0o600, type: .stream)
        let client = try UnixStream(connectingTo: path)
        guard let server = try listener.acceptStream() else {
            Issue.record("no connection waits")
            return
        }
        let piece = [UInt8](repeating: 7, count: 1 << 16)
        var sent = 0
        for _ in 0..<1000 {
            let count = try server.send(piece[...])
            if count == 0 { break }
            sent += count
        }
        #expect(sent > 0 && sent < 1000 << 16)
        #expect(try client.receive(limit: 1) == .bytes([7]))
    }

    @Test func `a stream socket lives and dies by the rules of the others`() throws {
        let listener = try UnixListener(makingAt: path, mode: 0o666, type: .stream)
        #expect(throws: SocketError(.secondServer, path: path)) { _ = try UnixListener(makingAt: path, mode: 0o666) }
        #expect(throws: Errno(EPROTOTYPE)) { _ = try UnixConnection(connectingTo: path) }
        listener.close()
        #expect(throws: Errno(ENOENT)) { _ = try UnixStream(connectingTo: path) }
    }
}
