// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import ByteCoding
internal import CWire
package import Identity

/// A refusal as it is sent on the wire.
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

/// One answer of the daemon. The layouts are those of `entralogin_wire.h`.
package enum Response: Hashable, Sendable {
    /// One passwd(5) record as the name service returns it.
    case account(Account)
    case principal(String)
    case verdict(StageVerdict)
    case progress(DeviceProgress)
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

    /// The frame that answers `opcode`; `tooLong` if it is above the limit.
    package func encode(opcode: UInt16) throws(ByteCodingError) -> [UInt8] {
        let reply = opcode | UInt16(ENTRALOGIN_REPLY)
        return try Frame.encode(opcode: reply) { (writer) throws(ByteCodingError) in try encode(to: &writer) }
    }

    private func encode(to writer: inout ByteWriter) throws(ByteCodingError) {
        writer.write(UInt16(status))
        switch self {
        case .account(let account):
            // The private group has the same number.
            writer.write(account.uid.number)
            writer.write(account.uid.number)
            try writer.writeWord(account.systemName)
            try writer.writeWord(account.displayName)
            try writer.writeWord(account.home)
            try writer.writeWord(account.shell)
        case .principal(let principal): try writer.writeWord(principal)
        case .verdict(let verdict):
            writer.write(UInt16(verdict.word))
            try writer.writeWord(verdict.text)
        case .progress(.pending(let handle, let text, let seconds)):
            writer.write(UInt16(ENTRALOGIN_PROGRESS_PENDING))
            try writer.writeWord(text)
            try writer.writeWord(handle)
            writer.write(seconds)
        case .progress(.over(let verdict)):
            // A pending sign-in with a code has a handle, so "pending" without one is not a valid end.
            writer.write(UInt16(verdict == .pending ? ENTRALOGIN_VERDICT_UNDECIDABLE : verdict.word))
            try writer.writeWord(verdict.text)
            try writer.writeWord("")
            writer.write(UInt32(0))
        case .document(let document): try writer.writeString(document, lengthPrefix: .four)
        case .refused(let refusal):
            for field in [refusal.reason, refusal.text, refusal.correlation] { try writer.writeWord(field) }
        case .done, .notFound, .unavailable, .forbidden, .malformed, .version: break
        }
    }

    /// Reads the whole answer to `verb`, for the tool. The modules read with the cursor of CWire, and only they read
    /// accounts, verdicts and progress.
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
        case .lookUpName, .authorize, .openSession, .beginDevice, .awaitDevice: throw .malformed
        case .checkCertificate: self = .principal(try payload.readWord())
        case .closeSession, .flush, .retire, .rebind, .rename, .setShell, .setHome, .lock, .unlock: self = .done
        case .statusReport, .users, .showUser, .explain, .testCertificate, .check, .sessions, .keys, .refreshKeys,
            .endSessions, .access, .settings, .add:
            self = .document(try payload.readString(lengthPrefix: .four, limit: Int(ENTRALOGIN_FRAME_MAX)))
        }
    }
}

extension StageVerdict {
    fileprivate var word: UInt32 {
        switch self {
        case .allow: ENTRALOGIN_VERDICT_ALLOW
        case .ignore: ENTRALOGIN_VERDICT_IGNORE
        case .pending: ENTRALOGIN_VERDICT_PENDING
        case .deny(let denial, _): denial.isUndecided ? ENTRALOGIN_VERDICT_UNDECIDABLE : ENTRALOGIN_VERDICT_DENY
        }
    }

    fileprivate var text: String {
        guard case .deny(_, let text) = self else { return "" }
        return text
    }
}
