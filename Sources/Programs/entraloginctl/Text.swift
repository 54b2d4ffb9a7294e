// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import ByteCoding

/// How text looks: width and colours. Pure; `Main` finds out whether the output is a terminal.
struct Style: Hashable, Sendable {
    /// Columns of a line.
    static let width = 80

    enum Tone: String, Sendable {
        case good = "32"
        case doubtful = "33"
        case bad = "31"
        case strong = "1"
    }

    var hasColours = false

    func paint(_ text: String, _ tone: Tone) -> String {
        hasColours && !text.isEmpty ? "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m" : text
    }
}

/// Text from elsewhere, safe for a terminal: controls become `?`.
func printable(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isUnprintable ? "?" : $0 }))
}

enum Text {
    /// Breaks at blanks, so that no line is longer than `width` (a longer word stands alone).
    static func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in printable(text).split(separator: " ") {
            if line.isEmpty {
                line = String(word)
            } else if line.count + 1 + word.count <= width {
                line += " \(word)"
            } else {
                lines.append(line)
                line = String(word)
            }
        }
        if !line.isEmpty || lines.isEmpty { lines.append(line) }
        return lines
    }

    /// `label` in a column of its own, `text` wrapped beside it.
    static func labelled(_ label: String, column: Int, _ text: String, paintedLabel: String? = nil) -> [String] {
        let blanks = String(repeating: " ", count: column)
        let pad = String(repeating: " ", count: max(1, column - label.count))
        return wrap(text, width: Style.width - column).enumerated().map { index, line in
            index == 0 ? (paintedLabel ?? label) + pad + line : blanks + line
        }
    }

    /// The same with the text painted, as far as there is a tone.
    static func labelled(
        _ label: String,
        column: Int,
        _ text: String,
        _ style: Style,
        _ tone: Style.Tone?
    ) -> [String] {
        let lines = labelled(label, column: column, text)
        guard let tone else { return lines }
        return lines.map { String($0.prefix(column)) + style.paint(String($0.dropFirst(column)), tone) }
    }

    /// Columns as wide as their widest cell, two blanks between; the last column is not padded.
    static func table(_ rows: [[String]]) -> [String] {
        let rows = rows.map { $0.map(printable) }
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { index, cell in
                index + 1 == row.count ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
            }
            return cells.joined(separator: "  ").trimmed
        }
    }

    /// A table with a header. A first cell that leaves no room for the others gets a line of its own.
    static func list(_ header: [String], _ rows: [[String]], _ style: Style) -> [String] {
        let rows = rows.map { $0.map(printable) }
        let others = table(([header] + rows).map { Array($0.dropFirst()) })
        let rest = others.map(\.count).max() ?? 0
        let room = max(10, Style.width - rest - 2)
        let width = ([header] + rows).compactMap { $0.first?.count }.filter { $0 <= room }.max() ?? 0
        let pad = String(repeating: " ", count: width)
        return zip([header] + rows, others).enumerated().flatMap { index, line in
            let (first, other) = (line.0.first ?? "", line.1)
            guard first.count <= width else { return [first, "\(pad)  \(other)".trimmed] }
            let text = (first + pad.dropFirst(first.count) + "  " + other).trimmed
            return [index == 0 ? style.paint(text, .strong) : text]
        }
    }

    /// `45 s`, `3 min`, `2 h 5 min`, `4 d 1 h`.
    static func duration(_ seconds: Int64) -> String { Elapsed.text(seconds) }

    /// `2026-08-20 14:05:09 UTC`.
    static func date(_ seconds: Int64) -> String { CalendarDate.utc(seconds) }
}
