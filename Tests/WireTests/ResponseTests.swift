// SPDX-License-Identifier: Apache-2.0

import Authorization
import CWire
import Testing
import Wire

@Suite struct ResponseTests {
    /// Each kind of answer that the tool reads, with a verb that may get it.
    static let every: [(Response, Verb)] = [
        (.principal("alice@contoso.com"), .checkCertificate),
        (.done, .closeSession),
        (.document(Array("{}".utf8)), .statusReport),
        (.refused(WireRefusal(reason: "certificate", text: "no", correlation: "c")), .checkCertificate),
        (.notFound, .lookUpName),
        (.unavailable, .authorize),
        (.forbidden, .flush),
        (.malformed, .explain),
        (.version, .users),
    ]

    @Test("what is encoded is decoded", arguments: every)
    func roundTrip(response: Response, verb: Verb) throws {
        #expect(try Response(frame: response.encode(opcode: verb.rawValue), to: verb) == response)
    }

    @Test("P13: an answer cut at any byte, or with one too many, is refused", arguments: every)
    func damaged(response: Response, verb: Verb) throws {
        let frame = try response.encode(opcode: verb.rawValue)
        for length in 0..<frame.count {
            #expect(throws: FrameError.self) { try Response(frame: Array(frame.prefix(length)), to: verb) }
        }
        #expect(throws: FrameError.self) { try Response(frame: frame + [0], to: verb) }
    }

    /// The bytes after the status, as entralogin_wire.h defines them.
    private func fields(of response: Response, to verb: Verb) throws -> [UInt8] {
        let frame = try response.encode(opcode: verb.rawValue)
        let payload = frame.dropFirst(Int(ENTRALOGIN_FRAME_HEADER))
        #expect(payload.starts(with: [0, UInt8(ENTRALOGIN_STATUS_OK)]))
        return Array(payload.dropFirst(2))
    }

    static let ends: [(StageVerdict, UInt32, String)] = [
        (.allow, ENTRALOGIN_VERDICT_ALLOW, ""),
        (.ignore, ENTRALOGIN_VERDICT_IGNORE, ""),
        (.deny(Denial(.roleNotAssigned), text: "no"), ENTRALOGIN_VERDICT_DENY, "no"),
        (.deny(Denial(.unreachable), text: "later"), ENTRALOGIN_VERDICT_UNDECIDABLE, "later"),
    ]

    @Test("what a stage comes to has its word, and only a refusal has a text", arguments: ends)
    func verdicts(verdict: StageVerdict, word: UInt32, text: String) throws {
        let expected = [0, UInt8(word), 0, UInt8(text.utf8.count)] + Array(text.utf8)
        for verb in [Verb.authorize, .openSession] {
            #expect(try fields(of: .verdict(verdict), to: verb) == expected)
        }
        for verb in [Verb.beginDevice, .awaitDevice] {
            // No handle, and no time left.
            #expect(try fields(of: .progress(.over(verdict)), to: verb) == expected + [0, 0, 0, 0, 0, 0])
        }
    }

    @Test("a question that waits is pending; a sign-in with a code is so only while it has a handle")
    func pending() throws {
        #expect(try fields(of: .verdict(.pending), to: .authorize) == [0, UInt8(ENTRALOGIN_VERDICT_PENDING), 0, 0])
        let waiting = DeviceProgress.pending(handle: "h", text: "type it", seconds: 300)
        var expected: [UInt8] = [0, UInt8(ENTRALOGIN_PROGRESS_PENDING), 0, 7]
        expected += Array("type it".utf8) + [0, 1] + Array("h".utf8) + [0, 0, 1, 44]
        #expect(try fields(of: .progress(waiting), to: .beginDevice) == expected)
        let none = try fields(of: .progress(.over(.pending)), to: .awaitDevice)
        #expect(none == [0, UInt8(ENTRALOGIN_VERDICT_UNDECIDABLE), 0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("an answer to another question is refused")
    func otherVerb() throws {
        let frame = try Response.done.encode(opcode: Verb.flush.rawValue)
        #expect(throws: FrameError.self) { try Response(frame: frame, to: .retire) }
    }

    @Test("a request is no answer")
    func request() throws {
        #expect(throws: FrameError.self) { try Response(frame: Request.flush.encode(), to: .flush) }
    }

    @Test("an answer above the frame's limit is not encoded")
    func limit() {
        #expect(throws: (any Error).self) {
            try Response.document([UInt8](repeating: 32, count: 65_536)).encode(opcode: Verb.users.rawValue)
        }
    }
}
