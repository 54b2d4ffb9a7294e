// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Systemd

/// Decision records as journal fields (P15): the names are an interface, listed in ARCHITECTURE.md.
struct RecordWriter: RecordLog {
    let journal: Journal

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
            let (seconds, attoseconds) = latency.components
            let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
            fields.append(LogField("ENTRALOGIN_LATENCY_USEC", "\(microseconds)"))
        }
        if let detail = record.detail { fields.append(LogField("ENTRALOGIN_DETAIL", detail)) }
        let priority = LogPriority(rawValue: record.priority.rawValue) ?? .notice
        journal.write(priority, record.message, fields)
    }
}
