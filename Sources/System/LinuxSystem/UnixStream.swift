// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// What a stream brought.
package enum StreamReception: Hashable, Sendable {
    case bytes([UInt8])
    /// The peer sends no more.
    case closed
    /// Nothing has come yet.
    case notYet
}

/// One end of a SOCK_STREAM connection of unix(7). Non-blocking; closed when its owner lets go of it.
package struct UnixStream: ~Copyable, Sendable {
    private let socket: ConnectedSocket

    package var peer: PeerCredentials { socket.peer }

    /// For `EventLoop.watch`; borrowed. Unwatch before the connection's life ends.
    package var descriptor: Int32 { socket.rawValue }

    /// Takes over a connected socket.
    package init(_ descriptor: consuming Descriptor) throws(Errno) {
        socket = try ConnectedSocket(descriptor)
    }

    /// Connects to a listener without waiting. Errors: as of `UnixConnection`.
    package init(connectingTo path: String) throws(Errno) {
        let descriptor = Descriptor(takingOwnership: try checked(clinux_stream()))
        socket = try ConnectedSocket(descriptor, connectingTo: path)
    }

    /// What has come, at most `limit` bytes, which must be more than 0.
    package borrowing func receive(limit: Int) throws(Errno) -> StreamReception {
        var outcome: Int64 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            outcome = clinux_receive_some(socket.rawValue, buffer.baseAddress, limit)
            count = max(0, Int(outcome))
        }
        switch outcome {
        case -Int64(EAGAIN): return .notYet
        case -Int64(ECONNRESET), 0: return .closed
        default:
            try checked(outcome)
            return .bytes(bytes)
        }
    }

    /// Sends what the kernel takes now and returns how many bytes that were; 0 where the peer does not read. Errors:
    /// EPIPE where it has gone.
    package borrowing func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        let sent = bytes.withUnsafeBytes { clinux_send(socket.rawValue, $0.baseAddress, $0.count) }
        if sent == -Int64(EAGAIN) { return 0 }
        return Int(try checked(sent))
    }
}
