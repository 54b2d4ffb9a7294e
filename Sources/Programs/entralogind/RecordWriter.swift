// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import LinuxSystem
internal import Systemd
internal import Wire

/// Decision records as journal fields (P15): the names are an interface, listed in Documentation/records.md.
struct RecordWriter: RecordLog {
    private let journal: Journal

    /// Records less urgent than `threshold` are dropped. Fails if no descriptor or thread is left.
    init(threshold: LogPriority) throws(Errno) {
        journal = try Journal(identifier: "entralogind", threshold: threshold, loss: RecordWriter.record(of:))
    }

    /// The records that have not reached the journal.
    var report: RecordsReport {
        let standing = journal.standing
        return RecordsReport(
            waiting: standing.waiting,
            waitingSeconds: standing.delay.components.seconds,
            lost: standing.lost
        )
    }

    func record(_ record: DecisionRecord) {
        var fields = [
            LogField("MESSAGE_ID", record.event.messageID),
            LogField("ENTRALOGIN_EVENT", record.event.rawValue),
        ]
        if let verdict = record.verdict { fields.append(LogField("ENTRALOGIN_DECISION", verdict.rawValue)) }
        if let reason = record.reason { fields.append(LogField("ENTRALOGIN_REASON", reason.rawValue)) }
        if let role = record.role { fields.append(LogField("ENTRALOGIN_ROLE", role.rawValue)) }
        if let user = record.user { fields.append(LogField("ENTRALOGIN_USER", user)) }
        if let id = record.objectID { fields.append(LogField("ENTRALOGIN_OBJECT_ID", id.description)) }
        if let service = record.service { fields.append(LogField("ENTRALOGIN_SERVICE", service)) }
        if let id = record.correlation { fields.append(LogField("ENTRALOGIN_CORRELATION_ID", id.description)) }
        if let latency = record.latency {
            fields.append(LogField("ENTRALOGIN_LATENCY_USEC", "\(latency.wholeMicroseconds)"))
        }
        if let detail = record.detail { fields.append(LogField("ENTRALOGIN_DETAIL", detail)) }
        let priority = LogPriority(rawValue: record.priority.rawValue) ?? .notice
        journal.write(LogRecord(priority, record.message, fields))
    }

    private static func record(of lost: LostRecords) -> LogRecord {
        let event = RecordedEvent.recordsLost
        let what = lost.count == 1 ? "1 record was lost" : "\(lost.count) records were lost"
        return LogRecord(
            .warning,
            "\(what): the journal took none for \(lost.elapsed.components.seconds) s",
            [
                LogField("MESSAGE_ID", event.messageID), LogField("ENTRALOGIN_EVENT", event.rawValue),
                LogField("ENTRALOGIN_LOST", "\(lost.count)"),
            ]
        )
    }
}
