// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import CClient
internal import CWire
internal import Glibc
internal import Wire

/// Why the daemon gave no answer.
enum DaemonError: Error, Hashable, Sendable {
    /// It does not listen, or says nothing in time; in words.
    case unreachable(String)
    case notPermitted
    /// The daemon is of another version than this tool.
    case otherVersion
    /// The reply cannot be understood.
    case misread
    /// No account has, or had, that name.
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
///
/// The daemon answers from memory at once or, if it hangs or only its socket is there, not at all. So such a request
/// gets two short attempts, in case the machine stalls during one; then systemd is asked, and a daemon that is starting
/// is waited for. Before a request that may take long, for example because Azure is asked, such a short one is sent.
struct DaemonClient: Sendable {
    private static let attempts = 2
    private static let attemptTime: Int32 = 1000

    var path = ENTRALOGIN_CONTROL_SOCKET
    /// The uid that counts as root; tests without privileges have another.
    var root: UInt32 = 0
    /// What systemd says of the daemon; nil where it does not run here, or is not asked.
    var state: @Sendable () -> ServiceState? = { nil }

    func ask(_ request: Request) throws(DaemonError) -> Response {
        if request.verb.isSlow { _ = try answer(to: .sessions) }
        return try answer(to: request)
    }

    private func answer(to request: Request) throws(DaemonError) -> Response {
        let frame: [UInt8]
        do throws(ByteCodingError) {
            frame = try request.encode()
        } catch {
            throw .misread
        }
        let reply = try request.verb.isSlow ? slowExchange(frame) : quickExchange(frame)
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

    private func slowExchange(_ frame: [UInt8]) throws(DaemonError) -> [UInt8] {
        do throws(ExchangeFailure) {
            return try exchange(frame, milliseconds: Int32(ENTRALOGIN_TOOL_DEADLINE_MS))
        } catch { throw error.described(path: path, root: root, waited: Int(ENTRALOGIN_TOOL_DEADLINE_MS) / 1000) }
    }

    private func quickExchange(_ frame: [UInt8]) throws(DaemonError) -> [UInt8] {
        for _ in 0..<DaemonClient.attempts {
            do throws(ExchangeFailure) {
                return try exchange(frame, milliseconds: DaemonClient.attemptTime)
            } catch {
                guard error.number == ETIMEDOUT else { throw error.described(path: path, root: root, waited: 0) }
            }
        }
        let waited = DaemonClient.attempts * Int(DaemonClient.attemptTime) / 1000
        // Without systemd, whether it is starting is not known.
        guard let state = state(), !state.isStarting else { return try slowExchange(frame) }
        throw .unreachable("it took more than \(waited) s; \(state.text)")
    }

    private func exchange(_ frame: [UInt8], milliseconds: Int32) throws(ExchangeFailure) -> [UInt8] {
        var reply = [UInt8](repeating: 0, count: Int(ENTRALOGIN_FRAME_MAX))
        let size = path.withCString { path in
            var server = entralogin_server(path: path, root: root)
            let deadline = entralogin_deadline(milliseconds)
            return entralogin_exchange(&server, frame, frame.count, &reply, reply.count, deadline)
        }
        guard size < 0 else { return Array(reply[..<size]) }
        throw ExchangeFailure(number: Int32(-size))
    }
}

/// Why no reply came: an error number.
private struct ExchangeFailure: Error {
    let number: Int32

    func described(path: String, root: UInt32, waited: Int) -> DaemonError {
        switch number {
        case EACCES where geteuid() != root: .notPermitted
        case ENOENT, ECONNREFUSED: .unreachable("nobody listens on \(path)")
        case ETIMEDOUT: .unreachable("it took more than \(waited) s")
        case EPERM, EACCES: .unreachable("\(path), or a folder above it, is not the daemon's alone")
        case ECONNRESET: .unreachable("it closed the connection")
        case EMSGSIZE: .misread
        default: .unreachable(String(cString: strerror(number)))
        }
    }
}

extension Verb {
    /// True if the daemon waits for Azure, for the disk or for ending processes before it answers.
    var isSlow: Bool {
        switch self {
        case .explain, .check, .refreshKeys, .access, .endSessions, .retire, .lock, .unlock, .rebind, .rename,
            .setShell, .setHome, .flush, .add:
            true
        default: false
        }
    }
}
