// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// Who is at the other end (SO_PEERCRED, unix(7)): of an accepted connection, the process that called connect(2); of a
/// connected one, the process that called listen(2). The kernel vouches for it; it does not change afterwards.
package struct PeerCredentials: Hashable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}

/// A connected socket of unix(7), of either type. Non-blocking; closed when its owner lets go of it.
struct ConnectedSocket: ~Copyable, Sendable {
    let peer: PeerCredentials
    private let socket: Descriptor

    /// Borrowed.
    var rawValue: Int32 { socket.rawValue }

    /// Takes over a connected socket.
    init(_ socket: consuming Descriptor) throws(Errno) {
        var peer = clinux_peer()
        try checked(clinux_peer_of(socket.rawValue, &peer))
        self.peer = PeerCredentials(pid: peer.pid, uid: peer.uid, gid: peer.gid)
        self.socket = socket
    }

    /// Connects a new socket to a listener without waiting. Errors: ECONNREFUSED where nobody listens, EAGAIN where its
    /// backlog is full, ENAMETOOLONG, those of connect(2).
    init(_ socket: consuming Descriptor, connectingTo path: String) throws(Errno) {
        try checked(clinux_connect(socket.rawValue, path))
        try self.init(socket)
    }
}
