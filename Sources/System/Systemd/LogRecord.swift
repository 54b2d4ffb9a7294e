// SPDX-License-Identifier: Apache-2.0

/// The levels of syslog(3).
package enum LogPriority: Int, Sendable {
    case critical = 2
    case error = 3
    case warning = 4
    case notice = 5
    case information = 6
    case debugging = 7
}

/// One field of a record: a name of upper-case letters, digits and `_`, and any text.
package struct LogField: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: StaticString, _ value: String) {
        self.name = name.description
        self.value = value
    }
}

/// One record: its level, a line to read, and fields. Text is bounded and escaped when it is written out.
package struct LogRecord: Hashable, Sendable {
    package let priority: LogPriority
    package let message: String
    package var fields: [LogField]

    package init(_ priority: LogPriority, _ message: String, _ fields: [LogField]) {
        self.priority = priority
        self.message = message
        self.fields = fields
    }

    /// `NAME=value` for each field, the journal's own ones first. No value holds a line's end.
    func assignments(identifier: String) -> [String] {
        ["MESSAGE=\(LogText.bounded(message))", "PRIORITY=\(priority.rawValue)", "SYSLOG_IDENTIFIER=\(identifier)"]
            + fields.map { "\($0.name)=\(LogText.bounded($0.value))" }
    }

    /// `<5>message NAME="value" …` and a newline (sd-daemon(3)).
    var line: String {
        let rest = fields.map { " \($0.name)=\(LogText.quoted($0.value))" }.joined()
        return "<\(priority.rawValue)>\(LogText.bounded(message))\(rest)\n"
    }

    /// Bytes, about: what the record counts for while it waits.
    var size: Int { fields.reduce(message.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count } }
}
