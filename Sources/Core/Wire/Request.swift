// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import ByteCoding
internal import CWire

/// One question to the daemon. The layouts are those of `entralogin_wire.h`.
package enum Request: Hashable, Sendable {
    /// `command` is the comm of the asking process: provisional names are for sshd only.
    case lookUpName(String, command: String)
    case checkCertificate(CertificateRequest)
    case authorize(AccountRequest)
    case openSession(SessionRequest)
    case closeSession(user: String, uid: UInt32)
    case beginDevice(DeviceRequest)
    case awaitDevice(handle: String)
    case statusReport
    case users(after: String)
    case explain(String)
    /// An empty user means the certificate's own principal. The certificate is `type base64`.
    case testCertificate(user: String, certificate: String)
    case flush
    case retire(String)
    /// A name, present or former, or a uid in digits.
    case showUser(String)
    case rebind(String, objectID: String)
    case rename(String, to: String)
    /// An empty object id means that of the account with that name.
    case check(String, objectID: String)
    case sessions
    case keys
    /// Fetches them first.
    case refreshKeys
    case setShell(String, shell: String)
    case setHome(String, home: String)
    /// A name, present or former, a uid in digits, or an object id.
    case endSessions(String)
    /// As for the sessions.
    case lock(String)
    case unlock(String)
    /// Who holds a login role, by role assignments.
    case access
    /// The settings in force.
    case settings
    /// `groups`: local ones that the tool puts the account into afterwards.
    case add(String, objectID: String, groups: [String])

    package var verb: Verb {
        switch self {
        case .lookUpName: .lookUpName
        case .checkCertificate: .checkCertificate
        case .authorize: .authorize
        case .openSession: .openSession
        case .closeSession: .closeSession
        case .beginDevice: .beginDevice
        case .awaitDevice: .awaitDevice
        case .statusReport: .statusReport
        case .users: .users
        case .explain: .explain
        case .testCertificate: .testCertificate
        case .flush: .flush
        case .retire: .retire
        case .showUser: .showUser
        case .rebind: .rebind
        case .rename: .rename
        case .check: .check
        case .sessions: .sessions
        case .keys: .keys
        case .refreshKeys: .refreshKeys
        case .setShell: .setShell
        case .setHome: .setHome
        case .endSessions: .endSessions
        case .lock: .lock
        case .unlock: .unlock
        case .access: .access
        case .settings: .settings
        case .add: .add
        }
    }

    /// Reads one frame, to its end. Every field has its limit; text is UTF-8 without NUL.
    package init(frame bytes: [UInt8]) throws(FrameError) {
        var frame = try Frame(bytes)
        guard let verb = Verb(rawValue: frame.opcode) else { throw .malformed(opcode: frame.opcode) }
        do {
            self = try Request(verb, from: &frame.payload)
            try frame.payload.finish()
        } catch {
            throw .malformed(opcode: frame.opcode)
        }
    }

    private init(_ verb: Verb, from payload: inout ByteReader) throws(ByteCodingError) {
        switch verb {
        case .lookUpName: self = .lookUpName(try payload.readWord(), command: try payload.readWord())
        case .checkCertificate: self = .checkCertificate(try CertificateRequest(from: &payload))
        case .authorize: self = .authorize(try AccountRequest(from: &payload))
        case .openSession: self = .openSession(try SessionRequest(from: &payload))
        case .closeSession: self = .closeSession(user: try payload.readWord(), uid: try payload.readUInt32())
        case .beginDevice: self = .beginDevice(try DeviceRequest(from: &payload))
        case .awaitDevice: self = .awaitDevice(handle: try payload.readWord())
        case .statusReport: self = .statusReport
        case .users: self = .users(after: try payload.readWord())
        case .explain: self = .explain(try payload.readWord())
        case .testCertificate:
            self = .testCertificate(
                user: try payload.readWord(),
                certificate: try payload.readText(lengthPrefix: .two, limit: Int(ENTRALOGIN_CERTIFICATE_MAX))
            )
        case .flush: self = .flush
        case .retire: self = .retire(try payload.readWord())
        case .showUser: self = .showUser(try payload.readWord())
        case .rebind: self = .rebind(try payload.readWord(), objectID: try payload.readWord())
        case .rename: self = .rename(try payload.readWord(), to: try payload.readWord())
        case .check: self = .check(try payload.readWord(), objectID: try payload.readWord())
        case .sessions: self = .sessions
        case .keys: self = .keys
        case .refreshKeys: self = .refreshKeys
        case .setShell: self = .setShell(try payload.readWord(), shell: try payload.readWord())
        case .setHome: self = .setHome(try payload.readWord(), home: try payload.readWord())
        case .endSessions: self = .endSessions(try payload.readWord())
        case .lock: self = .lock(try payload.readWord())
        case .unlock: self = .unlock(try payload.readWord())
        case .access: self = .access
        case .settings: self = .settings
        case .add:
            let (name, objectID) = (try payload.readWord(), try payload.readWord())
            let groups = try payload.readWord()
            // An empty word means no groups; empty names between commas are kept, so a request has only one encoding.
            let names = groups.isEmpty ? [] : groups.split(separator: ",", omittingEmptySubsequences: false)
            self = .add(name, objectID: objectID, groups: names.map(String.init))
        }
    }

    /// The frame that asks this; `tooLong` or `malformed` where a field does not fit the protocol.
    package func encode() throws(ByteCodingError) -> [UInt8] {
        try Frame.encode(opcode: verb.rawValue) { (writer) throws(ByteCodingError) in try encode(to: &writer) }
    }

    private func encode(to writer: inout ByteWriter) throws(ByteCodingError) {
        switch self {
        case .lookUpName(let name, let command):
            try writer.writeWord(name)
            try writer.writeWord(command)
        case .checkCertificate(let request): try request.encode(to: &writer)
        case .authorize(let request): try request.encode(to: &writer)
        case .openSession(let request): try request.encode(to: &writer)
        case .closeSession(let user, let uid):
            try writer.writeWord(user)
            writer.write(uid)
        case .beginDevice(let request): try request.encode(to: &writer)
        case .awaitDevice(let word), .users(let word), .explain(let word), .retire(let word), .showUser(let word),
            .endSessions(let word), .lock(let word), .unlock(let word):
            try writer.writeWord(word)
        case .rebind(let name, let other), .rename(let name, let other), .check(let name, let other),
            .setShell(let name, let other), .setHome(let name, let other):
            try writer.writeWord(name)
            try writer.writeWord(other)
        case .add(let name, let objectID, let groups):
            try writer.writeWord(name)
            try writer.writeWord(objectID)
            try writer.writeWord(groups.joined(separator: ","))
        case .testCertificate(let user, let certificate):
            try writer.writeWord(user)
            try writer.writeText(certificate, lengthPrefix: .two)
        case .statusReport, .flush, .sessions, .keys, .refreshKeys, .access, .settings: break
        }
    }
}

/// Names, services, terminals, hosts: no word on the wire is longer than a path may be.
private let wordLimit = 4096

extension ByteReader {
    mutating func readWord() throws(ByteCodingError) -> String {
        try readText(lengthPrefix: .two, limit: wordLimit)
    }
}

extension ByteWriter {
    mutating func writeWord(_ word: String) throws(ByteCodingError) {
        guard word.utf8.count <= wordLimit else { throw .tooLong }
        try writeText(word, lengthPrefix: .two)
    }
}
