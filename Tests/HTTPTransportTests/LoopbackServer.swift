// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// A server on 127.0.0.1 with a thread of its own. It answers the first request of each connection with `answer` and
/// keeps the requests. It ends when it is released.
final class LoopbackServer: Sendable {
    enum Answer: Sendable {
        /// These bytes, then the connection is closed.
        case bytes([UInt8])
        /// Nothing, until the client gives up.
        case silence
    }

    let port: UInt16
    private let listener: Int32
    private let answer: @Sendable (String) -> Answer
    private let received = Mutex<[String]>([])

    init(_ answer: @escaping @Sendable (String) -> Answer) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                precondition(bind(listener, generic, length) == 0 && listen(listener, 16) == 0)
                precondition(getsockname(listener, generic, &length) == 0)
            }
        }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        self.answer = answer
        startThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                startThread { [weak self] in self?.serve(connection) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// The requests so far, head and body.
    var requests: [String] { received.withLock { $0 } }

    func url(_ path: String, scheme: String = "http") -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }

    /// A complete response with its Content-Length.
    static func page(_ status: String, _ headers: [String] = [], body: String = "") -> Answer {
        let head =
            ["HTTP/1.1 \(status)"] + headers + ["Content-Length: \(body.utf8.count)", "Connection: close", "", ""]
        return .bytes(Array((head.joined(separator: "\r\n") + body).utf8))
    }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        guard let request = readRequest(connection) else { return }
        received.withLock { $0.append(request) }
        switch answer(request) {
        case .bytes(let bytes):
            var sent = 0
            while sent < bytes.count {
                let count = bytes[sent...].withUnsafeBytes {
                    send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                sent += count
            }
        case .silence:
            var byte: UInt8 = 0
            while read(connection, &byte, 1) > 0 {}
        }
    }

    private func readRequest(_ connection: Int32) -> String? {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(connection, &piece, piece.count)
            guard count > 0 else { return nil }
            bytes += piece[..<count]
            // A TLS client sends a handshake record (22; RFC 8446, 5.1), and never the empty line.
            if bytes.first == 22 { return "TLS" }
            let text = String(decoding: bytes, as: UTF8.self)
            guard let head = text.firstRange(of: "\r\n\r\n") else { continue }
            let length =
                text.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
            if text[head.upperBound...].utf8.count >= length { return text }
        }
    }
}

/// Runs `body` on a new thread.
private func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Work(body)).toOpaque()
    let code = pthread_create(
        &thread,
        nil,
        { context in
            if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
            return nil
        },
        context
    )
    precondition(code == 0)
    pthread_detach(thread)
}
