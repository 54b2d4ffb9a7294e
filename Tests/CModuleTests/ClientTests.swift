// SPDX-License-Identifier: Apache-2.0

import CClient
import CWire
import Glibc
import TestSupport
import Testing

@Suite("CClient")
struct ClientTests {
    private let request = Frame().string("hello").bytes(0x0101, reply: false)

    /// One exchange with `server`; the result and the reply.
    private func exchange(
        _ server: entralogin_server,
        capacity: Int = 256,
        milliseconds: Int32 = 30_000
    ) -> (result: Int, reply: [UInt8]) {
        var reply = [UInt8](repeating: 0xee, count: capacity + 16)
        var server = server
        errno = 77
        let deadline = entralogin_deadline(milliseconds)
        let result = entralogin_exchange(&server, request, request.count, &reply, capacity, deadline)
        #expect(errno == 77, "errno of the caller")
        #expect(reply[capacity...].allSatisfy { $0 == 0xee }, "never more than the capacity")
        return (result, Array(reply.prefix(max(0, min(result, capacity)))))
    }

    @Test("One request is answered by one reply")
    func answered() {
        let daemon = FakeDaemon { .frame($0.reversed()) }
        defer { daemon.stop() }
        let (result, reply) = daemon.withServer { exchange($0) }
        #expect(result == request.count && reply == request.reversed())
        #expect(daemon.requests == [request])
    }

    @Test("P9: A daemon that does not answer costs the deadline and no more")
    func silent() {
        let daemon = FakeDaemon { _ in .silence }
        defer { daemon.stop() }
        let took = elapsed {
            #expect(daemon.withServer { exchange($0, milliseconds: 60).result } == -Int(ETIMEDOUT))
        }
        #expect(took >= .milliseconds(60) && took < .seconds(30))
    }

    @Test("P9: A daemon that accepts nothing, with a full queue, costs the deadline and no more")
    func fullQueue() {
        let folder = TemporaryFolder()
        let listener = FakeDaemon.listen(at: folder("control.sock"), backlog: 0)
        defer { close(listener) }
        let took = elapsed {
            for _ in 0..<3 {
                folder("control.sock").withCString {
                    let server = entralogin_server(path: $0, root: geteuid())
                    #expect(exchange(server, milliseconds: 60).result == -Int(ETIMEDOUT))
                }
            }
        }
        #expect(took < .seconds(30))
    }

    @Test("A deadline that has passed waits for nothing")
    func passed() {
        let daemon = FakeDaemon { _ in .silence }
        defer { daemon.stop() }
        #expect(daemon.withServer { exchange($0, milliseconds: 0).result } == -Int(ETIMEDOUT))
    }

    @Test("A reply that does not fit is refused, not cut")
    func tooLong() {
        let daemon = FakeDaemon { _ in .frame([UInt8](repeating: 1, count: 257)) }
        defer { daemon.stop() }
        #expect(daemon.withServer { exchange($0).result } == -Int(EMSGSIZE))
    }

    @Test("A connection that is closed without a reply is no reply")
    func closed() {
        let daemon = FakeDaemon { _ in .close }
        defer { daemon.stop() }
        #expect(daemon.withServer { exchange($0).result } == -Int(ECONNRESET))
    }

    @Test("P8: Where nothing listens the answer comes at once")
    func nobody() {
        let folder = TemporaryFolder()
        let path = folder("control.sock")
        let ask = { (path: String) in
            path.withCString { exchange(entralogin_server(path: $0, root: geteuid())).result }
        }
        #expect(ask(path) == -Int(ENOENT))
        #expect(ask("/nonexistent/entralogin/control.sock") == -Int(ENOENT))
        close(FakeDaemon.listen(at: path))
        #expect(ask(path) == -Int(ECONNREFUSED))
        #expect(ask(folder(String(repeating: "x", count: 120))) == -Int(ENAMETOOLONG))
    }

    @Test("P10: A folder that others can write, or that is somebody else's, is not asked")
    func folder() {
        let daemon = FakeDaemon { .frame($0) }
        defer { daemon.stop() }
        #expect(daemon.withServer(root: geteuid() + 1) { exchange($0).result } == -Int(EPERM))
        for mode: mode_t in [0o775, 0o757] {
            chmod(daemon.folder.path, mode)
            #expect(daemon.withServer { exchange($0).result } == -Int(EPERM))
        }
        #expect(daemon.requests.isEmpty)
    }

    @Test("P10: What is not a socket, or only a link to one, is not asked")
    func inode() {
        let daemon = FakeDaemon { .frame($0) }
        defer { daemon.stop() }
        let folder = TemporaryFolder()
        folder.write([1], to: "file")
        symlink(daemon.path, folder("link"))
        for name in ["file", "link"] {
            folder(name).withCString {
                #expect(exchange(entralogin_server(path: $0, root: geteuid())).result == -Int(EPERM))
            }
        }
        #expect(daemon.requests.isEmpty)
    }

    @Test("P10: A process that is neither root nor the socket's owner is not asked", .enabled(if: geteuid() == 0))
    func peer() {
        let daemon = FakeDaemon { .frame($0) }
        defer { daemon.stop() }
        // Uid 4242 stands for root and owns the folder; the listener runs as this process's user.
        chown(daemon.folder.path, 4242, 0)
        #expect(daemon.withServer(root: 4242) { exchange($0).result } == request.count, "the socket's owner")
        chown(daemon.path, 4242, 0)
        #expect(daemon.withServer(root: 4242) { exchange($0).result } == -Int(EPERM))
        #expect(daemon.requests.count == 1, "the second request was never sent")
    }
}
