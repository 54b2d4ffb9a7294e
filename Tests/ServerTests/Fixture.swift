// SPDX-License-Identifier: Apache-2.0

import Authorization
import Glibc
import LinuxSystem
import Server
import TestSupport
import Testing
import Wire

/// A server over fake services, with its own socket and a loop in its own thread.
final class Fixture: Sendable {
    let services: FakeServices
    let loop: EventLoop
    let listener: Listener
    let socketPath: String
    private let folder = TemporaryFolder()
    private let thread: NativeThread

    init(_ services: FakeServices = FakeServices(), limits: ConnectionLimits = ConnectionLimits()) throws {
        self.services = services
        loop = try EventLoop()
        socketPath = "\(folder.path)/control.sock"
        let router = RequestRouter(policy: CallerPolicy(helperUID: nil), services: services.routed)
        let socket = try UnixListener(makingAt: socketPath, mode: 0o600)
        listener = Listener(socket, kind: .control, loop: loop, router: router, limits: limits)
        try listener.start()
        thread = try loop.runInThread()
    }

    /// Ends the loop's thread; to be called once, at the end.
    func stop() {
        services.gate.open()
        loop.stop()
        thread.join()
    }

    func connect() throws -> Client { try Client(socketPath) }

    /// One request and its answer on a connection of its own, which the server has closed when this returns.
    func ask(_ request: Request) throws -> Response? {
        let client = try connect()
        try client.send(try request.encode())
        guard let reply = try client.receive() else { return nil }
        #expect(try client.receive() == nil)
        return try Response(frame: reply, to: request.verb)
    }

    /// Waits until the server has that many connections; false if it takes more than ten seconds.
    func waitForConnections(_ count: Int) -> Bool { eventually { self.listener.openConnections == count } }
}

/// Checks the condition every millisecond, for ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<10_000 {
        if condition() { return true }
        poll(nil, 0, 1)
    }
    return condition()
}

/// A client that waits, for ten seconds at most.
final class Client {
    struct NoAnswer: Error {}

    private let link: UnixConnection

    /// Tries again while the backlog is full.
    init(_ path: String) throws {
        link = try Client.connection(to: path)
    }

    private static func connection(to path: String) throws -> UnixConnection {
        for _ in 0..<10_000 {
            do throws(Errno) {
                return try UnixConnection(connectingTo: path)
            } catch {
                guard error == .wouldBlock else { throw error }
                poll(nil, 0, 1)
            }
        }
        throw NoAnswer()
    }

    func send(_ bytes: [UInt8]) throws { try link.send(bytes) }

    /// The next message; nil if the server closes instead.
    func receive(timeout: Int32 = 10_000) throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var wait = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
        poll(&wait, 1, timeout)
        switch try link.receive(into: &buffer) {
        case .message(let count): return Array(buffer[..<count])
        case .closed: return nil
        case .tooLong, .notYet: throw NoAnswer()
        }
    }

    /// True while the server neither answers nor closes.
    func isHeld() -> Bool {
        var wait = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 0) == 0
    }
}

enum Descriptors {
    /// The number of open descriptors of this process, without the one that counts them.
    static func count() -> Int { TemporaryFolder.names(in: "/proc/self/fd").count - 1 }

    /// Sets this process's soft limit to that many; false if the hard limit does not allow it.
    static func limit(to count: UInt) -> Bool {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = count
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    }
}
