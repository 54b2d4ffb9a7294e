// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import ByteCoding
internal import CWire

/// The daemon's question to end-sessions, and the answer: `ENTRALOGIN_END_ACCOUNT` of `entralogin_wire.h`.
package enum EndAccount {
    package enum Answer: Hashable, Sendable {
        case ended(EndedProcesses)
        /// By root's files, the uid is not an Entra account's. Nothing was done.
        case notEntra
        /// Processes cannot be seen. Nothing was done.
        case unseen
    }

    package static func request(uid: UInt32, name: String, cause: EndingCause) -> [UInt8] {
        // A name of 113 characters at most fits any frame.
        let frame = try? Frame.encode(opcode: UInt16(ENTRALOGIN_END_ACCOUNT)) { (writer) throws(ByteCodingError) in
            writer.write(uid)
            writer.write(cause.rawValue)
            try writer.writeText(name, lengthPrefix: .two)
        }
        return frame ?? []
    }

    /// Nil for bytes that are not an answer.
    package static func answer(in bytes: [UInt8]) -> Answer? {
        guard var frame = try? Frame(bytes), UInt32(frame.opcode) == ENTRALOGIN_END_ACCOUNT | ENTRALOGIN_REPLY,
            let status = try? frame.payload.readUInt16()
        else { return nil }
        switch UInt32(status) {
        case ENTRALOGIN_STATUS_FORBIDDEN: return .notEntra
        case ENTRALOGIN_STATUS_UNAVAILABLE: return .unseen
        case ENTRALOGIN_STATUS_OK: return (try? EndAccount.ended(&frame.payload)).map(Answer.ended)
        default: return nil
        }
    }

    private static func ended(_ payload: inout ByteReader) throws(ByteCodingError) -> EndedProcesses {
        var ended = EndedProcesses(
            ended: Int(try payload.readUInt32()),
            left: Int(try payload.readUInt32()),
            others: []
        )
        for _ in 0..<min(try payload.readUInt16(), 32) {
            ended.others.append(
                OtherProcess(
                    pid: Int32(truncatingIfNeeded: try payload.readUInt32()),
                    uid: try payload.readUInt32(),
                    command: try payload.readWord()
                )
            )
        }
        try payload.finish()
        return ended
    }
}
