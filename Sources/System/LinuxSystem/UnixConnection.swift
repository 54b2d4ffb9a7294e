// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// The result of a receive.
package enum Reception: Hashable, Sendable {
    /// One whole message: that many bytes from the beginning of the buffer.
    case message(Int)
    /// A message that is longer than the buffer; it is lost, and its beginning means nothing.
    case tooLong
    /// The peer has closed, or sent an empty message, which counts as the same here.
    case closed
    /// Nothing has come yet.
    case notYet
}

/// One end of a SOCK_SEQPACKET connection. Non-blocking; closed when its owner lets go of it.
package struct UnixConnection: ~Copyable, Sendable {
    private let socket: ConnectedSocket

    package var peer: PeerCredentials { socket.peer }

    /// For `EventLoop.watch`; borrowed. Unwatch before the connection's life ends.
    package var descriptor: Int32 { socket.rawValue }

    /// Takes over a connected socket.
    package init(_ descriptor: consuming Descriptor) throws(Errno) {
        socket = try ConnectedSocket(descriptor)
    }

    /// Connects to a listener without waiting. Errors: ECONNREFUSED where nobody listens, EAGAIN where its backlog is
    /// full, ENAMETOOLONG, those of connect(2).
    package init(connectingTo path: String) throws(Errno) {
        let descriptor = Descriptor(takingOwnership: try checked(clinux_seqpacket()))
        socket = try ConnectedSocket(descriptor, connectingTo: path)
    }

    /// Receives one message into a buffer that is used again and again: its count is the longest message taken.
    package borrowing func receive(into buffer: inout [UInt8]) throws(Errno) -> Reception {
        let got = buffer.withUnsafeMutableBytes { bytes in
            clinux_receive(socket.rawValue, bytes.baseAddress, bytes.count)
        }
        switch got {
        case -Int64(EAGAIN): return .notYet
        case -Int64(ECONNRESET), 0: return .closed
        default:
            let length = Int(try checked(got))
            return length <= buffer.count ? .message(length) : .tooLong
        }
    }

    /// Sends one message whole, or not at all. Errors: EPIPE where the peer has gone, EAGAIN where it does not read,
    /// EMSGSIZE.
    package borrowing func send(_ message: [UInt8]) throws(Errno) {
        let sent = message.withUnsafeBytes { clinux_send(socket.rawValue, $0.baseAddress, $0.count) }
        try checked(sent)
    }
}
