// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import ByteCoding
internal import CWire
internal import Identity

/// What the Linux audit system is told of a decision: `ENTRALOGIN_AUDIT_EVENT` of `entralogin_wire.h`. libpam reports
/// every PAM stage itself; these events add what only the daemon knows: refusals with their reasons, sign-ins by
/// certificate and by code with the user's object id, and who became administrator when.
package struct AuditEvent: Hashable, Sendable {
    /// The numbers of `entralogin_wire.h`.
    package enum Kind: UInt16, Sendable, CaseIterable {
        case certificate = 1
        case account = 2
        case session = 3
        case granted = 4
        case withdrawn = 5
        case deviceSignIn = 6
        case ended = 7
    }

    package var kind: Kind
    package var isSuccess: Bool
    package var name = ""
    package var objectID = ""
    package var service = ""
    package var reason = ""
    package var group = ""
    package var correlation = ""

    /// Nil for a record of no such kind: faults, counts, and an account stage that said yes.
    package init?(_ record: DecisionRecord, administratorsGroup: String) {
        switch (record.event, record.verdict) {
        case (.certificate, .deny): self.init(.certificate, isSuccess: false)
        case (.account, .deny): self.init(.account, isSuccess: false)
        case (.deviceSignIn, let verdict?): self.init(.deviceSignIn, isSuccess: verdict == .allow)
        case (.sessionOpened, let verdict?): self.init(.session, isSuccess: verdict == .allow)
        case (.granted, nil), (.raised, nil): self.init(.granted, isSuccess: true)
        case (.withdrawn, nil): self.init(.withdrawn, isSuccess: true)
        case (.sessionsEnded, nil): self.init(.ended, isSuccess: record.priority != .error)
        default: return nil
        }
        name = record.user ?? ""
        objectID = record.objectID?.description ?? ""
        service = record.service ?? ""
        reason = record.reason?.rawValue ?? ""
        group = kind == .granted || kind == .withdrawn ? administratorsGroup : ""
        correlation = record.correlation?.description ?? ""
    }

    private init(_ kind: Kind, isSuccess: Bool) {
        self.kind = kind
        self.isSuccess = isSuccess
    }

    /// The datagram. Each text is cut at `ENTRALOGIN_AUDIT_FIELD_MAX` bytes, even within a character: the receiver
    /// writes in hexadecimal what is not plain.
    package var message: [UInt8] {
        // Six fields of at most 128 bytes fit any frame.
        let frame = try? Frame.encode(opcode: UInt16(ENTRALOGIN_AUDIT_EVENT)) { writer in
            writer.write(kind.rawValue)
            writer.write(UInt16(isSuccess ? 1 : 0))
            for text in [name, objectID, service, reason, group, correlation] {
                let bytes = text.utf8.filter { $0 != 0 }.prefix(Int(ENTRALOGIN_AUDIT_FIELD_MAX))
                writer.write(UInt16(bytes.count))
                writer.writeBytes(bytes)
            }
        }
        return frame ?? []
    }
}
