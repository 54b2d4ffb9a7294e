// SPDX-License-Identifier: Apache-2.0

internal import Wire

// Who may sign in here.

extension Tool {
    /// Refused where there is no list.
    func access() throws(DaemonError) -> ExitStatus {
        let report = try ask(.access, for: AccessReport.self)
        show(report) { AccessText(style: style).lines($0) }
        return report.fault == nil ? .success : .refused
    }
}

/// `access` as text: a table, then what it leaves out.
struct AccessText: Sendable {
    let style: Style

    func lines(_ report: AccessReport) -> [String] {
        if let fault = report.fault {
            let remedy = report.remedy.map { $0.isEmpty ? [] : Text.labelled("  do:", column: 6, $0) } ?? []
            return Text.wrap("Azure does not say who may sign in here: \(printable(fault))", width: Style.width)
                + remedy
        }
        var lines: [String] = []
        if report.entries.isEmpty {
            lines.append("Nobody holds a login role on this machine, or above it.")
        } else {
            let rows = report.entries.map { entry in
                [printable(entry.name ?? "-"), entry.objectID, printable(entry.kind), entry.role]
            }
            lines += Text.list(["ACCOUNT", "OBJECT ID", "KIND", "ROLE"], rows, style)
            for entry in report.entries {
                lines += Text.wrap(
                    "\(entry.objectID): \(printable(entry.scopes.joined(separator: ", ")))",
                    width: Style.width
                )
            }
        }
        let more = report.total - report.entries.count
        if more > 0 { lines.append("… and \(more) more") }
        return lines + [""] + notes(report).flatMap { Text.wrap($0, width: Style.width) }
    }

    private func notes(_ report: AccessReport) -> [String] {
        var notes = [
            "A group stands for its members, which this machine may not read: entraloginctl check NAME asks about one person."
                + " An account of - has never signed in here."
        ]
        if report.conditional > 0 {
            notes.append("\(report.conditional) assignments with a condition count for nothing here.")
        }
        if report.denials > 0 {
            notes.append("\(report.denials) deny assignments are in force: whom they name has less than is listed.")
        }
        return notes
    }
}
