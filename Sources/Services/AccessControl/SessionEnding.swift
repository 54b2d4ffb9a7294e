// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// Ends an account's processes: after a final no if `EndSessions=yes`; whatever the setting, after `users retire`, a
/// revocation, or an administrator's command. Writes one record each time that there was something to end.
package final class SessionEnding: Sendable {
    /// Nil: `EndSessions=no`.
    private let delay: Duration?
    private let ender: any SessionEnder
    private let accounts: any AccountRegistry
    private let time: any TimeSource
    private let starter: any TaskStarter
    private let log: any RecordLog
    /// Users who lost their role and whose sessions are being ended: one attempt for each user at a time.
    private let pending = Mutex<Set<DirectoryIdentity>>([])

    init(_ ports: AccessPorts, after delay: Duration?) {
        self.delay = delay
        ender = ports.ender
        accounts = ports.accounts
        time = ports.time
        starter = ports.starter
        log = ports.log
    }

    package var isOn: Bool { delay != nil }

    /// The only entry point for a final no of Azure or Entra. An outage, a refusal for another reason, or a no that is
    /// not confirmed yet does not come here. If `EndSessionsAfter=` delays the end, `isGone` is asked once more after
    /// the delay.
    func isRefused(
        _ identity: DirectoryIdentity,
        because cause: EndingCause,
        correlation: CorrelationID,
        isGone: @escaping @Sendable () async -> Bool
    ) {
        guard let delay, pending.withLock({ $0.insert(identity).inserted }) else { return }
        starter.start { [self] in
            defer { pending.withLock { _ = $0.remove(identity) } }
            guard let account = account(of: identity) else { return }
            if delay > .zero {
                await time.sleep(until: time.bootTime().advanced(by: delay))
                guard await isGone() else { return }
            }
            _ = await end(account, because: cause, correlation: correlation)
        }
    }

    /// An account that gives way to a local one has no processes: those with its uid are not its own.
    private func account(of identity: DirectoryIdentity) -> EnrolledAccount? {
        let accounts = accounts.view()
        return accounts.allEnrolled().first { enrolled in
            guard enrolled.identity == identity, enrolled.retiredAt == nil else { return false }
            switch accounts.standing(of: enrolled.account.name) {
            case .enrolled: return true
            // The processes of a locked account are still its own.
            case .none(let denial): return denial.reason == .accountLocked
            case .provisional: return false
            }
        }
    }

    /// Ends everything of the account now, and records it.
    package func end(
        _ account: EnrolledAccount,
        because cause: EndingCause,
        correlation: CorrelationID
    ) async -> Result<EndedProcesses, EndingFault> {
        let name = account.account.name
        var record = DecisionRecord(.sessionsEnded, .notice, "")
        record.user = name.text
        record.objectID = account.identity.objectID
        record.reason = cause.reason
        record.correlation = correlation
        do throws(EndingFault) {
            let ended = try await ender.end(
                uid: account.account.systemUID,
                named: account.account.systemName,
                because: cause
            )
            guard ended != EndedProcesses(ended: 0, left: 0, others: []) else { return .success(ended) }
            record.message = "Sessions of \(name) ended: \(ended.ended) processes"
            record.detail = SessionEnding.detail(ended)
            if ended.left > 0 {
                record.priority = .error
                record.message += ", \(ended.left) still run"
            } else if !ended.others.isEmpty {
                record.priority = .warning
                record.message += "; \(ended.others.count) of other users go on"
            }
            log.record(record)
            return .success(ended)
        } catch {
            record.event = .fault
            record.priority = .error
            record.message = "Sessions of \(name) were not ended"
            record.detail = error.text
            log.record(record)
            return .failure(error)
        }
    }

    private static func detail(_ ended: EndedProcesses) -> String? {
        guard !ended.others.isEmpty else { return nil }
        let others = ended.others.map { "\(DecisionJournal.bounded($0.command, 32)) (pid \($0.pid), uid \($0.uid))" }
        return DecisionJournal.bounded("not ended: \(others.joined(separator: ", "))", 1024)
    }
}
