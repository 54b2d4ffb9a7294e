// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import ByteCoding
internal import CClient
internal import CWire
internal import Glibc
internal import LinuxSystem
internal import Wire

/// Asks end-sessions (`ENTRALOGIN_END_ACCOUNT` of `entralogin_wire.h`), on its own thread: an answer takes seconds.
struct EndSessionsClient: SessionEnder {
    private let worker: BlockingWorker

    init() throws(Errno) { worker = try BlockingWorker(named: "sessions") }

    func end(uid: UInt32, named name: String, because cause: EndingCause) async throws(EndingFault) -> EndedProcesses {
        try await worker.run { () throws(EndingFault) in
            let request = EndAccount.request(uid: uid, name: name, cause: cause)
            return try EndSessionsClient.answer(in: try EndSessionsClient.exchange(request))
        }
    }

    private static func exchange(_ frame: [UInt8]) throws(EndingFault) -> [UInt8] {
        var reply = [UInt8](repeating: 0, count: 4096)
        let size = ENTRALOGIN_SESSIONS_SOCKET.withCString { path in
            var server = entralogin_server(path: path, root: 0)
            let deadline = entralogin_deadline(Int32(ENTRALOGIN_END_DEADLINE_MS))
            return entralogin_exchange(&server, frame, frame.count, &reply, reply.count, deadline)
        }
        guard size < 0 else { return Array(reply[..<size]) }
        switch Int32(-size) {
        case ENOENT, ECONNREFUSED: throw .unreachable("entralogin-sessions.socket is not there")
        case ETIMEDOUT: throw .unreachable("it took more than \(ENTRALOGIN_END_DEADLINE_MS / 1000) s")
        case ECONNRESET: throw .unreachable("it closed the connection")
        default: throw .unreachable(Errno(Int32(-size)).description)
        }
    }

    private static func answer(in reply: [UInt8]) throws(EndingFault) -> EndedProcesses {
        switch EndAccount.answer(in: reply) {
        case .ended(let ended): return ended
        case .notEntra: throw .notEntra
        case .unseen: throw .unseen
        case nil: throw .unreachable("its answer cannot be understood")
        }
    }
}
