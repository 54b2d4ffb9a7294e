// SPDX-License-Identifier: Apache-2.0

internal import CSystemd
internal import Glibc

/// The levels of syslog(3).
package enum LogPriority: Int, Sendable {
    case critical = 2
    case error = 3
    case warning = 4
    case notice = 5
    case information = 6
    case debugging = 7
}

/// One field of a record: a name of upper-case letters, digits and `_`, and text from wherever.
package struct LogField: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(_ name: StaticString, _ value: String) {
        self.name = name.description
        self.value = value
    }
}

/// Where records go: the journal with their fields (sd_journal_sendv(3)), or, where there is no journal, a line each to
/// standard error with the level in front as sd-daemon(3) has it. Never waits for anything but those, never fails.
package struct Journal: Sendable {
    /// Longest value, in bytes: what comes from outside cannot fill the log.
    package static let longestValue = 2048

    private static let socket = "/run/systemd/journal/socket"
    private let identifier: String
    private let usesJournal: Bool
    private let threshold: LogPriority

    /// Looks once whether there is a journal. Records less urgent than `threshold` are dropped.
    package init(identifier: String, threshold: LogPriority = .information) {
        self.init(identifier: identifier, threshold: threshold, usesJournal: access(Journal.socket, W_OK) == 0)
    }

    init(identifier: String, threshold: LogPriority, usesJournal: Bool) {
        self.identifier = identifier
        self.threshold = threshold
        self.usesJournal = usesJournal
    }

    package func write(_ priority: LogPriority, _ message: String, _ fields: [LogField]) {
        guard priority.rawValue <= threshold.rawValue else { return }
        let message = LogText.bounded(message)
        if usesJournal {
            var all = ["MESSAGE=\(message)", "PRIORITY=\(priority.rawValue)", "SYSLOG_IDENTIFIER=\(identifier)"]
            all += fields.map { "\($0.name)=\(LogText.bounded($0.value))" }
            if Journal.send(all) { return }
        }
        Journal.print(Journal.line(priority, message, fields))
    }

    /// `<5>message NAME="value" …` and a newline.
    static func line(_ priority: LogPriority, _ message: String, _ fields: [LogField]) -> String {
        let rest = fields.map { " \($0.name)=\(LogText.quoted($0.value))" }.joined()
        return "<\(priority.rawValue)>\(message)\(rest)\n"
    }

    private static func send(_ assignments: [String]) -> Bool {
        var copies = assignments.map { Array($0.utf8) }
        var vectors: [iovec] = []
        vectors.reserveCapacity(copies.count)
        // One allocation holds all bytes while the vectors point into it.
        let total = copies.reduce(0) { $0 + $1.count }
        return withUnsafeTemporaryAllocation(byteCount: total, alignment: 1) { space in
            var offset = 0
            for copy in copies {
                let place = UnsafeMutableRawBufferPointer(rebasing: space[offset..<offset + copy.count])
                place.copyBytes(from: copy)
                vectors.append(iovec(iov_base: place.baseAddress, iov_len: copy.count))
                offset += copy.count
            }
            copies = []
            return sd_journal_sendv(&vectors, Int32(vectors.count)) == 0
        }
    }

    private static func print(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            // One write keeps the line whole; what a full pipe does not take is lost.
            _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
        }
    }
}

/// Text from outside on its way into a log (P12): bounded, on one line, without control characters.
enum LogText {
    static func bounded(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            guard result.utf8.count < Journal.longestValue else { return result + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func quoted(_ text: String) -> String {
        let escaped = bounded(text).flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
        return "\"\(String(escaped))\""
    }
}
