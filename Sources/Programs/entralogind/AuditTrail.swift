// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import LinuxSystem
internal import Synchronization
internal import Wire

/// Hands decisions to audit-events on their way to the journal (`Audit=`). The daemon has no capability to tell the
/// kernel itself (P11). Nothing waits for it and no decision depends on it: what cannot be handed over is counted.
final class AuditTrail: RecordLog {
    private let next: any RecordLog
    /// Nil: switched off, or no socket could be made.
    private let sender: DatagramSender?
    private let administratorsGroup: @Sendable () -> String
    private let counts: Mutex<AuditReport?>

    init(to next: any RecordLog, isOn: Bool, path: String, administratorsGroup: @escaping @Sendable () -> String) {
        self.next = next
        self.administratorsGroup = administratorsGroup
        sender = isOn ? try? DatagramSender(to: path) : nil
        counts = Mutex(isOn ? AuditReport() : nil)
    }

    /// Nil where it is switched off.
    var report: AuditReport? { counts.withLock { $0 } }

    func record(_ record: DecisionRecord) {
        next.record(record)
        guard counts.withLock({ $0 != nil }),
            let event = AuditEvent(record, administratorsGroup: administratorsGroup())
        else { return }
        let problem = send(event)
        counts.withLock { $0?.count(problem) }
    }

    private func send(_ event: AuditEvent) -> Errno? {
        guard let sender else { return .inputOutput }
        do throws(Errno) {
            try sender.send(event.message)
            return nil
        } catch { return error }
    }
}

extension AuditReport {
    fileprivate mutating func count(_ problem: Errno?) {
        isPresent = problem != .noEntry
        lastError = problem.map(\.description)
        if problem == nil { handedOver += 1 } else { dropped += 1 }
    }
}
