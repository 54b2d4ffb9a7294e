// SPDX-License-Identifier: Apache-2.0

import CClient
import CWire
import Glibc
import Synchronization
import TestSupport

/// Listens in the daemon's place and answers each request as the test says: with a frame, by closing the connection
/// without an answer, or never.
final class FakeDaemon: Sendable {
    enum Answer: Sendable {
        case frame([UInt8])
        case close
        case silence
    }

    let folder = TemporaryFolder()
    let path: String
    private let listener: Int32
    private let answer: @Sendable ([UInt8]) -> Answer
    private let state = Mutex((requests: [[UInt8]](), open: [Int32]()))

    init(_ answer: @escaping @Sendable ([UInt8]) -> Answer) {
        self.answer = answer
        path = folder("control.sock")
        listener = Self.listen(at: path)
        let box = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let made = pthread_create(&thread, nil, FakeDaemon.serve, box.toOpaque())
        precondition(made == 0)
        pthread_detach(thread)
    }

    deinit { for descriptor in state.withLock({ $0.open }) { close(descriptor) } }

    /// Ends the thread: the shutdown of the listener wakes it.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// The requests so far, whole frames.
    var requests: [[UInt8]] { state.withLock { $0.requests } }

    /// Calls `body` with the server as the client needs it; this process's user counts as root.
    func withServer<R>(root: UInt32 = geteuid(), _ body: (entralogin_server) throws -> R) rethrows -> R {
        try path.withCString { try body(entralogin_server(path: $0, root: root)) }
    }

    static func listen(at path: String, backlog: Int32 = 16) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(descriptor >= 0 && bound == 0 && Glibc.listen(descriptor, backlog) == 0)
        return descriptor
    }

    private static let serve: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        guard let pointer else { return nil }
        let daemon = Unmanaged<FakeDaemon>.fromOpaque(pointer).takeRetainedValue()
        while true {
            let connection = accept(daemon.listener, nil, nil)
            guard connection >= 0 else { break }
            daemon.converse(connection)
        }
        close(daemon.listener)
        return nil
    }

    private func converse(_ connection: Int32) {
        var bytes = [UInt8](repeating: 0, count: Int(ENTRALOGIN_FRAME_MAX))
        let count = recv(connection, &bytes, bytes.count, 0)
        guard count > 0 else {
            close(connection)
            return
        }
        let request = Array(bytes[..<count])
        state.withLock { $0.requests.append(request) }
        switch answer(request) {
        case .frame(let frame):
            send(connection, frame, frame.count, Int32(MSG_NOSIGNAL))
            close(connection)
        case .close:
            close(connection)
        case .silence:
            state.withLock { $0.open.append(connection) }
        }
    }
}

/// Frames, written independently of wire.c.
struct Frame {
    var payload: [UInt8] = []

    func u16(_ value: UInt32) -> Frame { adding([UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]) }
    func u32(_ value: UInt32) -> Frame { u16(value >> 16).u16(value & 0xffff) }
    func string(_ text: String) -> Frame { u16(UInt32(text.utf8.count)).adding(Array(text.utf8)) }
    func adding(_ bytes: [UInt8]) -> Frame { Frame(payload: payload + bytes) }

    /// Header and payload; a reply unless said otherwise.
    func bytes(_ opcode: UInt32, reply: Bool = true, version: UInt32 = ENTRALOGIN_VERSION) -> [UInt8] {
        let verb = reply ? opcode | ENTRALOGIN_REPLY : opcode
        return Frame().u32(ENTRALOGIN_MAGIC).u16(version).u16(verb).u32(UInt32(payload.count)).payload + payload
    }

    static func record(_ name: String, uid: UInt32, gid: UInt32? = nil, home: String? = nil) -> Frame {
        Frame().u16(ENTRALOGIN_STATUS_OK).u32(uid).u32(gid ?? uid).string(name).string("Alice")
            .string(home ?? "/home/\(name)").string("/bin/bash")
    }

    static func verdict(_ verdict: UInt32, _ text: String = "") -> Frame {
        Frame().u16(ENTRALOGIN_STATUS_OK).u16(verdict).string(text)
    }
}

/// How long `body` takes, by CLOCK_MONOTONIC.
func elapsed(_ body: () -> Void) -> Duration {
    let before = entralogin_now()
    body()
    return .nanoseconds(Int64(entralogin_now() - before))
}
