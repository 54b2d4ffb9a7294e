// SPDX-License-Identifier: Apache-2.0

import Authorization
import ByteCoding
import CWire
import Testing

@testable import Wire

@Suite("End of sessions")
struct EndAccountTests {
    private func reply(_ status: UInt32, _ compose: (inout ByteWriter) -> Void = { _ in }) throws -> [UInt8] {
        try Frame.encode(opcode: UInt16(ENTRALOGIN_END_ACCOUNT | ENTRALOGIN_REPLY)) { writer in
            writer.write(UInt16(status))
            compose(&writer)
        }
    }

    private func ended() throws -> [UInt8] {
        try reply(ENTRALOGIN_STATUS_OK) { writer in
            writer.write(UInt32(12))
            writer.write(UInt32(1))
            writer.write(UInt16(1))
            writer.write(UInt32(99))
            writer.write(UInt32(0))
            try? writer.writeText("bash", lengthPrefix: .two)
        }
    }

    @Test("The request is a uid, a cause and a name, with the header's numbers")
    func request() throws {
        var frame = try Frame(EndAccount.request(uid: 1_900_000_001, name: "alice@contoso.com", cause: .revoked))
        #expect(UInt32(frame.opcode) == ENTRALOGIN_END_ACCOUNT)
        let fields = (try frame.payload.readUInt32(), UInt32(try frame.payload.readUInt16()))
        #expect(fields == (1_900_000_001, ENTRALOGIN_END_REVOKED))
        #expect(try frame.payload.readWord() == "alice@contoso.com" && frame.payload.remaining == 0)
        let header = [
            ENTRALOGIN_END_ROLE, ENTRALOGIN_END_RETIRED, ENTRALOGIN_END_REVOKED, ENTRALOGIN_END_COMMAND,
            ENTRALOGIN_END_DISABLED,
        ]
        #expect(EndingCause.allCases.map { UInt32($0.rawValue) } == header)
    }

    @Test("An answer is read whole, or not at all")
    func answer() throws {
        let others = [OtherProcess(pid: 99, uid: 0, command: "bash")]
        let good = try ended()
        #expect(EndAccount.answer(in: good) == .ended(EndedProcesses(ended: 12, left: 1, others: others)))
        for length in 0..<good.count { #expect(EndAccount.answer(in: Array(good.prefix(length))) == nil, "\(length)") }
        #expect(EndAccount.answer(in: good + [0]) == nil)
        #expect(EndAccount.answer(in: try reply(ENTRALOGIN_STATUS_FORBIDDEN)) == .notEntra)
        #expect(EndAccount.answer(in: try reply(ENTRALOGIN_STATUS_UNAVAILABLE)) == .unseen)
        #expect(EndAccount.answer(in: try reply(ENTRALOGIN_STATUS_NOT_FOUND)) == nil)
        #expect(EndAccount.answer(in: EndAccount.request(uid: 1, name: "", cause: .command)) == nil)
    }
}
