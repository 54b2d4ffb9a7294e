// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Findings as text: a good one in one line, any other with its place, need and remedy.
struct FindingsText: Sendable {
    private static let column = 8
    let style: Style

    func section(_ title: String, _ findings: [Finding]) -> [String] {
        [style.paint(title, .strong)] + findings.flatMap(lines)
    }

    private func lines(_ finding: Finding) -> [String] {
        let (word, tone): (String, Style.Tone?) =
            switch finding.severity {
            case .good: ("ok", .good)
            case .note: ("note", nil)
            case .warning: ("warn", .doubtful)
            case .error: ("FAILED", .bad)
            }
        let painted = tone.map { style.paint(word, $0) } ?? word
        var lines = Text.labelled(
            word,
            column: FindingsText.column,
            finding.found,
            paintedLabel: painted
        )
        guard finding.severity > .good else { return lines }
        for (label, text) in [("where", finding.place ?? ""), ("needed", finding.needed), ("do", finding.remedy)]
        where !text.isEmpty {
            let indent = String(repeating: " ", count: FindingsText.column)
            lines += Text.labelled(indent + label, column: FindingsText.column + 8, text)
        }
        return lines
    }

    /// One closing sentence; `well` where nothing is found.
    func conclusion(_ findings: [Finding], well: String = "Nothing is wrong.") -> String {
        let errors = findings.count { $0.severity == .error }
        let warnings = findings.count { $0.severity == .warning }
        let isOpen = findings.contains { $0.severity == .warning && $0.keepsOut == .unknown }
        let rest = isOpen ? "whether everybody gets in is not known" : "sign-in stays on"
        switch (errors, warnings) {
        case (0, 0): return style.paint(well, .good)
        case (0, 1): return style.paint("One thing to look at; \(rest).", .doubtful)
        case (0, _): return style.paint("\(warnings) things to look at; \(rest).", .doubtful)
        case (1, _): return style.paint("One thing keeps Entra accounts out.", .bad)
        default: return style.paint("\(errors) things keep Entra accounts out.", .bad)
        }
    }
}
