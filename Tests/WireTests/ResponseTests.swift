// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing
import Wire

@Suite struct ResponseTests {
    static let name = UserName("alice@contoso.com")
    static let uid = PosixID(user: 1_900_000_001)

    /// Each kind of answer with a verb that may get it.
    static let every: [(Response, Verb)] = {
        var list: [(Response, Verb)] = [
            (.principal("alice@contoso.com"), .checkCertificate),
            (.verdict(WireVerdict(word: .deny, text: "Azure role not assigned")), .authorize),
            (.verdict(WireVerdict(word: .allow, text: "")), .openSession),
            (.progress(WireProgress(word: .pending, text: "type it", handle: "h", seconds: 300)), .beginDevice),
            (.progress(WireProgress(word: .deny, text: "no")), .awaitDevice),
            (.done, .closeSession),
            (.document(Array("{}".utf8)), .statusReport),
            (.refused(WireRefusal(reason: "certificate", text: "no", correlation: "c")), .checkCertificate),
            (.notFound, .lookUpName),
            (.unavailable, .authorize),
            (.forbidden, .flush),
            (.malformed, .explain),
            (.version, .users),
        ]
        if let name, let uid {
            let account = Account(name: name, uid: uid, displayName: "Alice", home: "/home/a", shell: "/bin/bash")
            list.append((.account(WireAccount(account)), .lookUpName))
        }
        return list
    }()

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
