// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import CClient
internal import CWire
internal import Glibc
internal import Wire

/// Why there is no answer of the daemon's.
enum DaemonError: Error, Hashable, Sendable {
    /// It does not listen, or says nothing in time; in words.
    case unreachable(String)
    case notPermitted
    /// The daemon is of another version than this tool.
    case otherVersion
    /// What came cannot be understood.
    case misread
    /// No account has that name, or had it.
    case notFound

    var text: String {
        switch self {
        case .unreachable(let why): "the daemon does not answer: \(why)"
        case .notPermitted: "only root may ask the daemon"
        case .otherVersion: "the daemon is of another version than this tool"
        case .misread: "the daemon's answer cannot be understood"
        case .notFound: "no account of that name has signed in here"
        }
    }

    var remedy: String {
        switch self {
        case .unreachable: "systemctl start entralogind; if it does not stay up: journalctl -u entralogind"
        case .notPermitted: "use sudo"
        case .otherVersion, .misread: "systemctl restart entralogind"
        case .notFound: ""
        }
    }

    var exitStatus: ExitStatus {
        switch self {
        case .notPermitted: .notPermitted
        case .notFound: .refused
        case .unreachable, .otherVersion, .misread: .unreachable
        }
    }
}

/// Asks the daemon over the control socket: one question, one answer, one deadline.
struct DaemonClient: Sendable {
    var path = ENTRALOGIN_CONTROL_SOCKET
    /// The uid that counts as root; tests without privileges have another.
    var root: UInt32 = 0

    func ask(_ request: Request) throws(DaemonError) -> Response {
        let frame: [UInt8]
        do throws(ByteCodingError) {
            frame = try request.encode()
        } catch {
            throw .misread
        }
        let reply = try exchange(frame)
        do throws(FrameError) {
            return try checked(Response(frame: reply, to: request.verb))
        } catch {
            if case .version = error { throw .otherVersion }
            throw .misread
        }
    }

    /// The bytes of a document.
    func document(_ request: Request) throws(DaemonError) -> [UInt8] {
        guard case .document(let bytes) = try ask(request) else { throw .misread }
        return bytes
    }

    private func checked(_ response: Response) throws(FrameError) -> Response { response }

    private func exchange(_ frame: [UInt8]) throws(DaemonError) -> [UInt8] {
        var reply = [UInt8](repeating: 0, count: Int(ENTRALOGIN_FRAME_MAX))
        let size = path.withCString { path in
            var server = entralogin_server(path: path, root: root)
            return entralogin_exchange(
                &server,
                frame,
                frame.count,
                &reply,
                reply.count,
                entralogin_deadline(Int32(ENTRALOGIN_TOOL_DEADLINE_MS))
            )
        }
        guard size < 0 else { return Array(reply[..<size]) }
        switch Int32(-size) {
        case EACCES where geteuid() != root: throw .notPermitted
        case ENOENT, ECONNREFUSED: throw .unreachable("nobody listens on \(path)")
        case ETIMEDOUT: throw .unreachable("it took more than \(ENTRALOGIN_TOOL_DEADLINE_MS / 1000) s")
        case EPERM, EACCES: throw .unreachable("\(path), or a folder above it, is not the daemon's alone")
        case ECONNRESET: throw .unreachable("it closed the connection")
        case EMSGSIZE: throw .misread
        default: throw .unreachable(String(cString: strerror(Int32(-size))))
        }
    }
}
