// SPDX-License-Identifier: Apache-2.0

import Authorization
import ByteCoding
import CWire
import Identity
import Testing

@testable import Wire

@Suite("Audit events")
struct AuditEventTests {
    private func record(_ event: RecordedEvent, _ verdict: DecisionRecord.Verdict?) -> DecisionRecord {
        var record = DecisionRecord(event, .notice, "text")
        record.verdict = verdict
        record.user = "alice@contoso.com"
        record.service = "sshd"
        return record
    }

    private func event(_ event: RecordedEvent, _ verdict: DecisionRecord.Verdict?) -> AuditEvent? {
        AuditEvent(record(event, verdict), administratorsGroup: "entra_admins")
    }

    @Test("Refusals, sign-ins, grants and withdrawals are events; whatever else there is to record is none")
    func which() {
        #expect(event(.certificate, .deny)?.kind == .certificate)
        #expect(event(.account, .deny)?.kind == .account)
        #expect(event(.sessionOpened, .deny).map { ($0.kind, $0.isSuccess) }! == (.session, false))
        #expect(event(.sessionOpened, .allow).map { ($0.kind, $0.isSuccess) }! == (.session, true))
        for (verdict, isSuccess) in [(DecisionRecord.Verdict.allow, true), (.deny, false)] {
            #expect(event(.deviceSignIn, verdict).map { ($0.kind, $0.isSuccess) }! == (.deviceSignIn, isSuccess))
        }
        for began in [RecordedEvent.granted, .raised] {
            #expect(event(began, nil).map { ($0.kind, $0.group) }! == (.granted, "entra_admins"))
        }
        #expect(event(.withdrawn, nil).map { ($0.kind, $0.group) }! == (.withdrawn, "entra_admins"))
        #expect(event(.sessionsEnded, nil).map { ($0.kind, $0.isSuccess) }! == (.ended, true))
        #expect(event(.certificate, .allow) == nil && event(.account, .allow) == nil)
        let others = Set(RecordedEvent.allCases).subtracting([
            .certificate, .account, .deviceSignIn, .sessionOpened, .granted, .raised, .withdrawn, .sessionsEnded,
        ])
        for other in others { #expect(event(other, nil) == nil && event(other, .deny) == nil, "\(other)") }
    }

    @Test("A message is one frame with its six texts in order, each cut at its limit and without NUL")
    func message() throws {
        var refused = record(.account, .deny)
        refused.reason = .roleNotAssigned
        refused.user = "a\0lice" + String(repeating: "é", count: 100)
        let made = try #require(AuditEvent(refused, administratorsGroup: "entra_admins")).message
        var frame = try Frame(made)
        #expect(frame.opcode == UInt16(ENTRALOGIN_AUDIT_EVENT) && made.count <= Int(ENTRALOGIN_AUDIT_MAX))
        let numbers = [try frame.payload.readUInt16(), try frame.payload.readUInt16()]
        #expect(numbers == [2, 0])
        var texts: [[UInt8]] = []
        for _ in 0..<6 { texts.append(Array(try frame.payload.readString(lengthPrefix: .two, limit: 128))) }
        #expect(frame.payload.remaining == 0)
        #expect(texts[0].count == 128 && texts[0].starts(with: Array("alice".utf8)))
        #expect(
            texts.dropFirst().map { String(decoding: $0, as: UTF8.self) } == ["", "sshd", "role-not-assigned", "", ""]
        )
    }

    @Test("The kinds are those of the wire's header")
    func numbers() {
        let header = [
            ENTRALOGIN_AUDIT_CERTIFICATE, ENTRALOGIN_AUDIT_ACCOUNT, ENTRALOGIN_AUDIT_SESSION, ENTRALOGIN_AUDIT_GRANTED,
            ENTRALOGIN_AUDIT_WITHDRAWN, ENTRALOGIN_AUDIT_DEVICE, ENTRALOGIN_AUDIT_ENDED,
        ]
        #expect(AuditEvent.Kind.allCases.map { UInt32($0.rawValue) } == header)
    }
}
