// SPDX-License-Identifier: Apache-2.0

package import ByteCoding
internal import CWire
package import Identity

/// A refusal as it crosses the wire.
package struct WireRefusal: Hashable, Sendable {
    /// A raw value of `DenialReason`.
    package var reason: String
    package var text: String
    package var correlation: String

    package init(reason: String, text: String, correlation: String) {
        self.reason = reason
        self.text = text
        self.correlation = correlation
    }
}

/// What the PAM module is told.
package struct WireVerdict: Hashable, Sendable {
    package enum Word: UInt16, Sendable {
        case allow = 0
        case deny = 1
        case ignore = 2
        case undecidable = 3
        case pending = 4
    }

    package var word: Word
    /// One plain line for the person; empty where nothing is to be said.
    package var text: String

    package init(word: Word, text: String) {
        self.word = word
        self.text = text
    }
}

/// How far a sign-in with a code has come.
package struct WireProgress: Hashable, Sendable {
    package enum Word: UInt16, Sendable {
        case allow = 0
        case deny = 1
        case ignore = 2
        case undecidable = 3
        case pending = 4
    }

    package var word: Word
    /// One plain line for the person; may be empty.
    package var text: String
    /// Empty unless it is pending.
    package var handle: String
    /// That are left; 0 unless it is pending.
    package var seconds: UInt32

    package init(word: Word, text: String, handle: String = "", seconds: UInt32 = 0) {
        self.word = word
        self.text = text
        self.handle = handle
        self.seconds = seconds
    }
}

/// One passwd(5) record as the name service hands it out.
package struct WireAccount: Hashable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    package var name: String
    package var gecos: String
    package var home: String
    package var shell: String

    package init(_ account: Account) {
        uid = account.uid.number
        gid = account.uid.number
        name = account.name.text
        gecos = account.displayName
        home = account.home
        shell = account.shell
    }
}

/// One answer of the daemon. The layouts are those of `entralogin_wire.h`.
package enum Response: Hashable, Sendable {
    case account(WireAccount)
    case principal(String)
    case verdict(WireVerdict)
    case progress(WireProgress)
    /// JSON for entraloginctl.
    case document([UInt8])
    /// Done; there is nothing to add.
    case done
    case notFound
    case refused(WireRefusal)
    case unavailable
    case forbidden
    case malformed
    case version

    private var status: UInt32 {
        switch self {
        case .account, .principal, .verdict, .progress, .document, .done: ENTRALOGIN_STATUS_OK
        case .notFound: ENTRALOGIN_STATUS_NOT_FOUND
        case .refused: ENTRALOGIN_STATUS_REFUSED
        case .unavailable: ENTRALOGIN_STATUS_UNAVAILABLE
        case .forbidden: ENTRALOGIN_STATUS_FORBIDDEN
        case .malformed: ENTRALOGIN_STATUS_MALFORMED
        case .version: ENTRALOGIN_STATUS_VERSION
        }
    }

    /// The frame that answers `opcode`; `tooLong` where it is above the limit.
    package func encode(opcode: UInt16) throws(ByteCodingError) -> [UInt8] {
        let reply = opcode | UInt16(ENTRALOGIN_REPLY)
        return try Frame.encode(opcode: reply) { (writer) throws(ByteCodingError) in try encode(to: &writer) }
    }

    private func encode(to writer: inout ByteWriter) throws(ByteCodingError) {
        writer.write(UInt16(status))
        switch self {
        case .account(let account):
            writer.write(account.uid)
            writer.write(account.gid)
            try writer.writeWord(account.name)
            try writer.writeWord(account.gecos)
            try writer.writeWord(account.home)
            try writer.writeWord(account.shell)
        case .principal(let principal): try writer.writeWord(principal)
        case .verdict(let verdict):
            writer.write(verdict.word.rawValue)
            try writer.writeWord(verdict.text)
        case .progress(let progress):
            writer.write(progress.word.rawValue)
            try writer.writeWord(progress.text)
            try writer.writeWord(progress.handle)
            writer.write(progress.seconds)
        case .document(let document): try writer.writeString(document, lengthPrefix: .four)
        case .refused(let refusal):
            for field in [refusal.reason, refusal.text, refusal.correlation] { try writer.writeWord(field) }
        case .done, .notFound, .unavailable, .forbidden, .malformed, .version: break
        }
    }

    /// Reads the answer to `verb`, to its end. The tool's side: the modules read with the cursor of CWire.
    package init(frame bytes: [UInt8], to verb: Verb) throws(FrameError) {
        var frame = try Frame(bytes)
        guard frame.opcode == verb.rawValue | UInt16(ENTRALOGIN_REPLY) else { throw .malformed(opcode: frame.opcode) }
        do {
            self = try Response(verb, from: &frame.payload)
            try frame.payload.finish()
        } catch {
            throw .malformed(opcode: frame.opcode)
        }
    }

    private init(_ verb: Verb, from payload: inout ByteReader) throws(ByteCodingError) {
        switch UInt32(try payload.readUInt16()) {
        case ENTRALOGIN_STATUS_OK: self = try Response(success: verb, from: &payload)
        case ENTRALOGIN_STATUS_NOT_FOUND: self = .notFound
        case ENTRALOGIN_STATUS_REFUSED:
            self = .refused(
                WireRefusal(
                    reason: try payload.readWord(),
                    text: try payload.readWord(),
                    correlation: try payload.readWord()
                )
            )
        case ENTRALOGIN_STATUS_UNAVAILABLE: self = .unavailable
        case ENTRALOGIN_STATUS_FORBIDDEN: self = .forbidden
        case ENTRALOGIN_STATUS_VERSION: self = .version
        case ENTRALOGIN_STATUS_MALFORMED: self = .malformed
        default: throw .malformed
        }
    }

    private init(success verb: Verb, from payload: inout ByteReader) throws(ByteCodingError) {
        switch verb {
        case .lookUpName: self = .account(try WireAccount(from: &payload))
        case .checkCertificate: self = .principal(try payload.readWord())
        case .authorize, .openSession:
            guard let word = WireVerdict.Word(rawValue: try payload.readUInt16()) else { throw .malformed }
            self = .verdict(WireVerdict(word: word, text: try payload.readWord()))
        case .beginDevice, .awaitDevice:
            guard let word = WireProgress.Word(rawValue: try payload.readUInt16()) else { throw .malformed }
            self = .progress(
                WireProgress(
                    word: word,
                    text: try payload.readWord(),
                    handle: try payload.readWord(),
                    seconds: try payload.readUInt32()
                )
            )
        case .closeSession, .flush, .retire, .rebind, .rename, .setShell, .setHome, .lock, .unlock: self = .done
        case .statusReport, .users, .showUser, .explain, .testCertificate, .check, .sessions, .keys, .refreshKeys,
            .endSessions, .access, .settings:
            self = .document(try payload.readString(lengthPrefix: .four, limit: Int(ENTRALOGIN_FRAME_MAX)))
        }
    }
}

extension WireAccount {
    init(from payload: inout ByteReader) throws(ByteCodingError) {
        uid = try payload.readUInt32()
        gid = try payload.readUInt32()
        name = try payload.readWord()
        gecos = try payload.readWord()
        home = try payload.readWord()
        shell = try payload.readWord()
    }
}
