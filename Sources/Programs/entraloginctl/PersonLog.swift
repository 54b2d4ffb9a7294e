// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Integration

/// One record of the journal, as far as it is shown. Field names: Documentation/records.md.
struct LoggedDecision: Hashable, Sendable, Codable {
    /// When it was decided: microseconds since 1970.
    var time: Int64
    var event: String
    /// `allow` or `deny`; nil if the record is not a decision.
    var decision: String?
    var reason: String?
    var role: String?
    var service: String?
    var message: String
    var detail: String?
    var objectID: String?
    var correlationID: String?
    var latencyMicroseconds: Int64?
}

/// The JSON output of `log NAME`.
struct PersonLogReport: Sendable, Codable {
    var name: String
    /// Oldest first.
    var records: [LoggedDecision]
}

/// Reads what the daemon has logged about one user from systemd's journal (journalctl(1), systemd.journal-fields(7)).
///
/// Any local process may write a record with any field, except those whose names begin with `_`: journald sets these
/// itself. A record is the daemon's if both its unit and its uid are. Neither alone is enough: journald reads the unit
/// from the sender's control group when it reads the record, and if the sender has ended by then, the daemon may have
/// its process id; the kernel sends the uid along, but root and containers can take on the daemon's.
struct PersonLog: Sendable {
    static let program = "/usr/bin/journalctl"
    /// In records; the last ones are shown.
    static let limit = 200
    /// `_SYSTEMD_UNIT` of the daemon's records.
    static let unit = "entralogind.service"
    /// What `decision(in:)` reads: without other fields, `limit` records are far below what a program may print.
    private static let fields = [
        "_SOURCE_REALTIME_TIMESTAMP", "MESSAGE", "ENTRALOGIN_EVENT", "ENTRALOGIN_DECISION", "ENTRALOGIN_REASON",
        "ENTRALOGIN_ROLE", "ENTRALOGIN_SERVICE", "ENTRALOGIN_DETAIL", "ENTRALOGIN_OBJECT_ID",
        "ENTRALOGIN_CORRELATION_ID", "ENTRALOGIN_LATENCY_USEC", "ENTRALOGIN_DELAY_USEC",
    ]

    let runner: any ProgramRunner
    /// The uid of the daemon's user; nil if the account files do not have it: then the unit alone counts.
    let daemonUID: UInt32?

    /// Why there is nothing to show, in words.
    struct Failure: Error, Hashable, Sendable {
        var text: String
    }

    /// `since` in journalctl's syntax; nil: the last week.
    func records(of name: String, since: String?) throws(Failure) -> [LoggedDecision] {
        let result = runner.run(
            PersonLog.program,
            [
                // The newest first: with --since, and without --reverse, journalctl of systemd 252 prints the oldest.
                "--quiet", "--no-pager", "--output=json", "--output-fields=\(PersonLog.fields.joined(separator: ","))",
                "--reverse", "--lines=\(PersonLog.limit)", "--since=\(since ?? "-7d")",
                "_SYSTEMD_UNIT=\(PersonLog.unit)",
            ] + (daemonUID.map { ["_UID=\($0)"] } ?? []) + ["ENTRALOGIN_USER=\(name)"]
        )
        guard result.status == 0 || result.status == 1 && result.output.isEmpty && result.complaint.isEmpty else {
            let why = result.complaint.split(separator: "\n").first.map(String.init)
            throw Failure(text: "the journal cannot be read: \(why ?? "\(PersonLog.program) fails")")
        }
        return result.output.split(separator: "\n").compactMap { PersonLog.decision(in: $0) }.reversed()
    }

    /// Nil if it is no record of the daemon's. Those are text: journalctl writes others as lists of bytes or texts.
    static func decision(in line: Substring) -> LoggedDecision? {
        guard let fields = try? JSON(parsing: Array(line.utf8)),
            let time = time(of: fields),
            let event = fields["ENTRALOGIN_EVENT"]?.text
        else { return nil }
        return LoggedDecision(
            time: time,
            event: event,
            decision: fields["ENTRALOGIN_DECISION"]?.text,
            reason: fields["ENTRALOGIN_REASON"]?.text,
            role: fields["ENTRALOGIN_ROLE"]?.text,
            service: fields["ENTRALOGIN_SERVICE"]?.text,
            message: fields["MESSAGE"]?.text ?? "",
            detail: fields["ENTRALOGIN_DETAIL"]?.text,
            objectID: fields["ENTRALOGIN_OBJECT_ID"]?.text,
            correlationID: fields["ENTRALOGIN_CORRELATION_ID"]?.text,
            latencyMicroseconds: fields["ENTRALOGIN_LATENCY_USEC"]?.text.flatMap { Int64($0) }
        )
    }

    /// When the daemon sent the record, if journald knows, minus the time that the record waited before.
    private static func time(of fields: JSON) -> Int64? {
        func number(_ name: String) -> Int64? { fields[name]?.text.flatMap { Int64($0) } }
        guard let time = number("_SOURCE_REALTIME_TIMESTAMP") ?? number("__REALTIME_TIMESTAMP") else { return nil }
        return time - (number("ENTRALOGIN_DELAY_USEC") ?? 0)
    }
}

/// The decisions about one user, as text.
struct LogText: Sendable {
    private static let column = 21
    let style: Style

    /// `since` as it was given; nil: the last week.
    func lines(_ report: PersonLogReport, since: String?) -> [String] {
        guard !report.records.isEmpty else {
            let time = since.map { "since \(printable($0))" } ?? "in the last week"
            return ["Nothing is logged about \(printable(report.name)) \(time)."]
        }
        return report.records.flatMap(lines)
    }

    private func lines(_ record: LoggedDecision) -> [String] {
        let service = record.service.map { " (\($0))" } ?? ""
        let outcome: (words: String, tone: Style.Tone?) =
            switch record.decision {
            case "allow": ("allowed" + (record.role.map { " as \($0)" } ?? ""), .good)
            case "deny": ("refused: \(record.reason ?? "no reason given")", .bad)
            default: (record.message, nil)
            }
        let date = String(Text.date(record.time / 1_000_000).prefix(19))
        let what = "\(record.event)\(service): \(outcome.words)"
        var lines = Text.labelled(date, column: LogText.column, what, style, outcome.tone)
        guard record.decision == "deny" else { return lines }
        let ids = [record.objectID.map { "object id \($0)" }, record.correlationID.map { "correlation id \($0)" }]
        for text in ([record.detail] + ids).compactMap(\.self) {
            lines += Text.labelled("", column: LogText.column, text)
        }
        return lines
    }
}
