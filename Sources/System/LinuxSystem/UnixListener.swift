// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A listening socket of unix(7), of type SOCK_SEQPACKET: one message is one frame. Non-blocking.
package struct UnixListener: ~Copyable, Sendable {
    /// Connections that wait to be accepted; the kernel caps it at net.core.somaxconn.
    package static let backlog: Int32 = 512

    /// Where it listens.
    package let path: String
    private let socket: Descriptor
    /// Held as long as the listener that made the inode lives; nil for an inherited one, whose inode is systemd's.
    private let lock: Descriptor?

    /// For `EventLoop.watch`; borrowed.
    package var descriptor: Int32 { socket.rawValue }

    /// Makes a socket at `path` with exactly that mode and, where `group` is given, that gid. No client can connect
    /// before both are set. `path` + ".lock" stays behind as a lock file.
    ///
    /// A dead server's socket is replaced. Refused are a live server, anything that is not a socket, and another user's
    /// socket. The folder must be one that only this process's user and root can write.
    package init(
        makingAt path: String,
        mode: UInt32,
        group: UInt32? = nil
    ) throws(SocketError) {
        // First, even where the folder cannot be written: a live server is the error to report.
        if try UnixListener.isServed(path) { throw SocketError(.secondServer, path: path) }
        let lockResult = clinux_lock(path + ".lock")
        if lockResult == -EWOULDBLOCK { throw SocketError(.secondServer, path: path) }
        let lock = Descriptor(takingOwnership: try UnixListener.checked(lockResult, "open lock", path))
        try UnixListener.removeDeadSocket(at: path)

        let socket = Descriptor(takingOwnership: try UnixListener.checked(clinux_seqpacket(), "socket", path))
        let bound = clinux_bind(socket.rawValue, path)
        if bound == -ENAMETOOLONG { throw SocketError(.pathTooLong, path: path) }
        try UnixListener.checked(bound, "bind", path)
        if let group {
            try UnixListener.checked(lchown(path, uid_t.max, group) == 0 ? 0 : -errno, "chown", path)
        }
        try UnixListener.checked(chmod(path, mode) == 0 ? 0 : -errno, "chmod", path)
        // Last: until now every connect(2) was refused.
        try UnixListener.checked(clinux_listen(socket.rawValue, UnixListener.backlog), "listen", path)
        self.path = path
        self.socket = socket
        self.lock = consume lock
    }

    /// Takes over a socket that systemd listens on, and listens again: SO_PEERCRED of a connecting client names the
    /// process that called listen(2) last, and clients check that it is this daemon (P10).
    package init(adopting socket: consuming Descriptor, expectedPath path: String) throws(SocketError) {
        let kind = try UnixListener.checked(clinux_is_seqpacket_listener(socket.rawValue), "getsockopt", path)
        guard kind == 1 else { throw SocketError(.wrongKind, path: path) }
        let found = try UnixListener.boundPath(of: socket.rawValue, expected: path)
        guard found == path else { throw SocketError(.wrongPath(found), path: path) }
        try UnixListener.checked(clinux_adopt(socket.rawValue), "fcntl", path)
        try UnixListener.checked(clinux_listen(socket.rawValue, UnixListener.backlog), "listen", path)
        self.path = path
        self.socket = socket
        lock = nil
    }

    /// Accepts one connection; nil where none waits. Errors: EMFILE and its kin; a connection that was aborted before
    /// it could be accepted is no error.
    package borrowing func accept() throws(Errno) -> UnixConnection? {
        guard let accepted = try acceptedDescriptor() else { return nil }
        return try UnixConnection(accepted)
    }

    private borrowing func acceptedDescriptor() throws(Errno) -> Descriptor? {
        while true {
            let accepted = clinux_accept(socket.rawValue)
            switch accepted {
            case -EAGAIN: return nil
            case -ECONNABORTED: continue
            default: return Descriptor(takingOwnership: try LinuxSystem.checked(accepted))
            }
        }
    }

    /// Stops listening, and removes the inode where this listener made it.
    package consuming func close() {
        if lock != nil { _ = unlink(path) }
    }

    /// The path that a socket is bound to; empty for one without a path.
    private static func boundPath(of socket: Int32, expected: String) throws(SocketError) -> String {
        var bytes = [CChar](repeating: 0, count: 109)
        let length = bytes.withUnsafeMutableBufferPointer { buffer in
            clinux_bound_path(socket, buffer.baseAddress, buffer.count)
        }
        try checked(length, "getsockname", expected)
        return String(decoding: bytes.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes the socket of a daemon that has died; refuses anything else at the path.
    private static func removeDeadSocket(at path: String) throws(SocketError) {
        var file = clinux_file()
        let found = clinux_stat(path, &file)
        if found == -ENOENT { return }
        try checked(found, "stat", path)
        guard file.kind == CLINUX_FILE_SOCKET else { throw SocketError(.notASocket, path: path) }
        guard file.owner == geteuid() else { throw SocketError(.foreignOwner(file.owner), path: path) }
        try checked(unlink(path) == 0 || errno == ENOENT ? 0 : -errno, "unlink", path)
    }

    /// True if a live server answers that may not hold the lock: an older version, or one that systemd started.
    private static func isServed(_ path: String) throws(SocketError) -> Bool {
        var file = clinux_file()
        guard clinux_stat(path, &file) >= 0, file.kind == CLINUX_FILE_SOCKET else { return false }
        let probe = Descriptor(takingOwnership: try checked(clinux_seqpacket(), "socket", path))
        // EPROTOTYPE: a server with another type of socket. EAGAIN: its backlog is full. Both live.
        let answer = clinux_connect(probe.rawValue, path)
        return answer != -ECONNREFUSED && answer != -ENOENT && answer != -EACCES
    }

    @discardableResult
    private static func checked(_ result: Int32, _ call: String, _ path: String) throws(SocketError) -> Int32 {
        guard result >= 0 else { throw SocketError(.system(call: call, Errno(-result)), path: path) }
        return result
    }
}
