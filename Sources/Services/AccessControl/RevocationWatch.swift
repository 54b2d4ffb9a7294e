// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import OpenSSHCertificates
internal import Synchronization

/// Supplies the administrator's revocation list for every check, and records when it changes or is unusable.
final class RevocationWatch: Sendable {
    private struct Last {
        /// The last usable list: while the current one is unusable, what it revoked stays out of sshd's file.
        var list = KeyRevocationList()
        var revision: Int?
        var fault: String?
    }

    private let source: any RevocationSource
    private let log: any RecordLog
    private let last = Mutex(Last())

    init(_ source: any RevocationSource, log: any RecordLog) {
        self.source = source
        self.log = log
    }

    /// The current list, and whether it is news. Throws if a list is configured but unusable.
    func current() throws(Denial) -> (list: KeyRevocationList, isNews: Bool) {
        switch source.read() {
        case .none: return (KeyRevocationList(), false)
        case .list(let list, let revision):
            return (list, take(list, revision))
        case .unusable(let text):
            let fault = DecisionJournal.bounded(text, 512)
            note(fault)
            throw Denial(.revokedKeysUnusable, detail: fault)
        }
    }

    var isConfigured: Bool {
        if case .none = source.read() { false } else { true }
    }

    /// The last usable list.
    var lastGood: KeyRevocationList { last.withLock { $0.list } }

    var status: AccessStatus.Revocation? {
        switch source.read() {
        case .none: nil
        case .list(let list, _): AccessStatus.Revocation(entries: list.count, fault: nil)
        case .unusable(let text):
            AccessStatus.Revocation(entries: 0, fault: DecisionJournal.bounded(text, 512))
        }
    }

    private func take(_ list: KeyRevocationList, _ revision: Int) -> Bool {
        let (isNews, isRecovery) = last.withLock { last in
            defer { last = Last(list: list, revision: revision, fault: nil) }
            return (last.revision != revision || last.fault != nil, last.fault != nil)
        }
        guard isNews else { return false }
        let message = "Revoked keys read: \(list.count) entries"
        log.record(DecisionRecord(.reloaded, isRecovery ? .notice : .information, message))
        return true
    }

    private func note(_ fault: String) {
        let isNews = last.withLock { last in
            defer { last.fault = fault }
            return last.fault != fault
        }
        guard isNews else { return }
        var record = DecisionRecord(
            .fault,
            .error,
            "No Entra account can sign in: \(DenialReason.revokedKeysUnusable.text)"
        )
        record.reason = .revokedKeysUnusable
        record.detail = fault
        log.record(record)
    }
}
