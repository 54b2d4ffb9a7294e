// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// What a decision is about; its record and the message to the user are made from it (P15).
struct DecisionSubject: Sendable {
    let event: RecordedEvent
    /// As the caller gave it; cleaned and shortened before it is recorded.
    let user: String
    let service: String
    let startedAt: BootTime
    var identity: DirectoryIdentity?
    var correlation: CorrelationID
    var roleNeeded = Role.user
}

/// Writes the one record of each decision, and words the refusals.
struct DecisionJournal: Sendable {
    let machines: any MachineSource
    let time: any TimeSource
    let log: any RecordLog

    /// Records a refusal, and returns the verdict with the message to the user.
    func deny(
        _ subject: DecisionSubject,
        _ denial: Denial,
        _ priority: DecisionRecord.Priority = .notice
    ) -> StageVerdict {
        var record = record(subject, priority, verb: "refused")
        record.message += ": \(DenialText.clean(denial.text))"
        record.verdict = .deny
        record.reason = denial.reason
        record.detail = denial.detail.isEmpty ? nil : DecisionJournal.bounded(denial.detail, 1024)
        log.record(record)
        return .deny(denial, text: text(subject, denial))
    }

    /// Records an allow. `source` says what it rests on; the grace is recorded as a warning.
    func allow(_ subject: DecisionSubject, role: Role?, source: AllowSource?, detail: String? = nil) {
        var record = record(subject, source == .grace ? .warning : .information, verb: "allowed")
        if source == .grace { record.message += " by grace: Azure cannot be reached" }
        record.verdict = .allow
        record.role = role
        record.detail = [source?.rawValue, detail].compactMap(\.self).joined(separator: "; ")
        log.record(record)
    }

    /// Records something that follows from a decision.
    func note(
        _ event: RecordedEvent,
        _ priority: DecisionRecord.Priority,
        _ message: String,
        of subject: DecisionSubject
    ) {
        var record = record(subject, priority, verb: "")
        record.event = event
        record.message = message
        log.record(record)
    }

    func text(_ subject: DecisionSubject, _ denial: Denial) -> String {
        DenialText.line(
            for: denial,
            needing: subject.roleNeeded,
            on: machines.current?.resource,
            correlation: subject.correlation
        )
    }

    private func record(
        _ subject: DecisionSubject,
        _ priority: DecisionRecord.Priority,
        verb: String
    ) -> DecisionRecord {
        let user = DecisionJournal.bounded(subject.user, 128)
        let service = DecisionJournal.bounded(subject.service, 64)
        var record = DecisionRecord(
            subject.event,
            priority,
            "\(subject.event.rawValue) of \(user) (\(service)) \(verb)"
        )
        record.user = user
        record.service = service.isEmpty ? nil : service
        record.objectID = subject.identity?.objectID
        record.correlation = subject.correlation
        record.latency = subject.startedAt.duration(to: time.bootTime())
        return record
    }

    static func bounded(_ text: String, _ limit: Int) -> String {
        DenialText.shorten(DenialText.clean(text), to: limit)
    }
}
