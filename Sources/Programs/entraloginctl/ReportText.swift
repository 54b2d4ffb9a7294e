// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Wire

/// The daemon's report on a user or a certificate, as text.
struct ReportText: Sendable {
    private static let column = 12
    let style: Style
    /// Seconds since 1970.
    let now: Int64

    func explanation(_ report: Explanation) -> [String] {
        guard report.isLocal != true else { return ["\(report.name) is a local account", ""] + steps(of: report) }
        let (answer, tone): (String, Style.Tone) =
            switch report.outcome {
            case .ok: ("would get in", .good)
            case .refused: ("would be refused", .bad)
            case .unknown: ("would get in if what is marked ? turns out well", .doubtful)
            }
        let lines = Text.wrap("\(report.name) \(answer)", width: Style.width).map { style.paint($0, tone) }
        return lines + [""] + steps(of: report)
    }

    func steps(of report: Explanation) -> [String] {
        let steps = report.steps.map { step in
            let outcome: ReportedStep.Outcome =
                switch step.outcome {
                case .ok: .good
                case .refused: .bad
                case .unknown: .unknown
                }
            return ReportedStep(step.subject, outcome, step.text, remedy: step.remedy)
        }
        return self.steps(steps)
    }

    func certificate(_ report: CertificateReport) -> [String] {
        let answer = report.isAcceptable ? "Acceptable here" : "Not acceptable here (\(report.reason ?? "malformed"))"
        var lines = [style.paint(answer, report.isAcceptable ? .good : .bad)]
        if !report.text.isEmpty { lines += Text.wrap(report.text, width: Style.width) }
        lines.append("")
        let validity = [report.validAfter, report.validBefore].compactMap { $0.map(Text.date) }
        let facts: [(String, String?)] = [
            ("type", report.keyType), ("key id", report.keyID), ("serial", report.serial),
            ("principals", report.principals.isEmpty ? nil : report.principals.joined(separator: ", ")),
            ("object id", report.objectID), ("tenant", report.tenantID),
            ("valid", validity.count == 2 ? validity.joined(separator: " to ") : nil), ("signed by", report.authority),
        ]
        for (label, text) in facts { if let text { lines += labelled(label, text) } }
        return lines + (report.steps.isEmpty ? [] : [""] + steps(report.steps))
    }

    private func steps(_ steps: [ReportedStep]) -> [String] {
        steps.flatMap { step in
            let (word, tone): (String, Style.Tone?) =
                switch step.outcome {
                case .good: ("ok", .good)
                case .bad: ("NO", .bad)
                case .unknown: ("?", .doubtful)
                case .skipped: ("-", nil)
                }
            let lines = Text.labelled(
                word,
                column: 4,
                "\(step.title): \(step.text)",
                paintedLabel: tone.map { style.paint(word, $0) }
            )
            return lines + (step.remedy.isEmpty ? [] : Text.labelled("    do", column: 8, step.remedy))
        }
    }

    private func labelled(_ label: String, _ text: String) -> [String] {
        Text.labelled(label, column: ReportText.column, text)
    }
}
