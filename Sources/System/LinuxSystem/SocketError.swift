// SPDX-License-Identifier: Apache-2.0

/// Why a socket cannot be listened on, with the remedy.
package struct SocketError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// A living server answers there, or holds the lock.
        case secondServer
        /// Something other than a socket is at the path.
        case notASocket
        /// The socket at the path belongs to that uid.
        case foreignOwner(UInt32)
        /// The path does not fit sun_path (unix(7): 107 bytes).
        case pathTooLong
        /// The inherited descriptor is not a listening SOCK_SEQPACKET socket of AF_UNIX.
        case wrongKind
        /// The inherited socket is bound elsewhere.
        case wrongPath(String)
        /// A system call failed.
        case system(call: String, Errno)
    }

    package let code: Code
    package let path: String

    package init(_ code: Code, path: String) {
        self.code = code
        self.path = path
    }

    package var description: String {
        switch code {
        case .secondServer: "\(path): another server answers there; stop it first, two would contradict each other"
        case .notASocket: "\(path): is not a socket; move it away"
        case .foreignOwner(let uid): "\(path): is a socket of uid \(uid), not of this user; remove it"
        case .pathTooLong: "\(path): is too long for a socket, 107 bytes at most"
        case .wrongKind: "\(path): the inherited descriptor is no listening SOCK_SEQPACKET socket; see the socket unit"
        case .wrongPath(let found): "\(path): the inherited socket is bound to \"\(found)\"; see the socket unit"
        case .system(let call, let errno):
            "\(path): \(call): \(errno)\(errno == .permissionDenied ? "; systemd makes it: start the socket units" : "")"
        }
    }
}
