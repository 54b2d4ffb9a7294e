// SPDX-License-Identifier: Apache-2.0

internal import Wire

/// `status` as text: one screen, then the warnings.
struct StatusText: Sendable {
    private static let column = 12
    let style: Style
    /// Seconds since 1970.
    let now: Int64

    func lines(_ report: StatusReport) -> [String] {
        daemon(report) + machine(report.machine) + azure(report)
            + labelled("keys", keys(report.keys), report.keys.count == 0 || report.keys.isStale ? .bad : nil)
            + people(report) + report.warnings.flatMap(warning)
    }

    private func daemon(_ report: StatusReport) -> [String] {
        let state = report.isReady && report.degraded.isEmpty ? "working" : report.isReady ? "degraded" : "not ready"
        let tone: Style.Tone = state == "working" ? .good : state == "degraded" ? .doubtful : .bad
        let memory = report.memoryBytes.map { ", \($0 / 1_048_576) MiB" } ?? ""
        let since = Text.duration(now - report.startedAt)
        return labelled("daemon", "\(state), version \(report.version), since \(since)\(memory)", tone)
            + labelled(
                "sign-in",
                report.stackRefusal.map { "off: \($0)" } ?? "on: the integration is verified",
                report.stackRefusal == nil ? .good : .bad
            )
    }

    private func machine(_ machine: MachineReport?) -> [String] {
        guard let machine else { return labelled("machine", "not known yet", .bad) }
        let origin = machine.isFromDisk ? " (last known; the metadata service has not answered)" : ""
        var lines = labelled("cloud", machine.cloud) + labelled("machine", "\(machine.name), \(machine.kind)\(origin)")
        // /subscriptions/S/resourceGroups/G/…: the rest is the kind and the name; --json has the whole.
        let parts = machine.resource.split(separator: "/")
        if parts.count > 3 {
            lines += labelled("", "resource group \(parts[3])") + labelled("", "subscription \(parts[1])")
        }
        return lines + labelled("", "tenant \(machine.tenant)")
    }

    private func azure(_ report: StatusReport) -> [String] {
        var lines: [String] = []
        if report.tokens.isEmpty { lines += labelled("identity", "no token was needed yet") }
        for (index, token) in report.tokens.enumerated() {
            lines += labelled(index == 0 ? "identity" : "", self.token(token), token.expiresAt == nil ? .bad : nil)
        }
        for (index, checker) in report.checkers.enumerated() {
            let isWell = checker.state == "ready" || checker.state == "untried"
            lines += labelled(index == 0 ? "checkers" : "", self.checker(checker), isWell ? nil : .doubtful)
        }
        if let directory = report.directory {
            let isWell = directory.state == "ready" || directory.state == "untried"
            lines += labelled("accounts", self.checker(directory), isWell ? nil : .doubtful)
        }
        if let confirmations = report.confirmations {
            let tone: Style.Tone? = confirmations.lastError == nil ? nil : .doubtful
            lines += labelled("confirmed", self.confirmations(confirmations), tone)
        }
        if let ahead = report.clockAheadSeconds { lines += labelled("clock", clock(ahead)) }
        return lines
    }

    private func token(_ token: TokenReport) -> String {
        let until = token.expiresAt.map { "token for \(Text.duration($0 - now))" } ?? "no token"
        return "\(token.audience): \(until)" + because(of: token.lastErrorCode)
    }

    private func checker(_ checker: CheckerReport) -> String {
        let state = ["ready": "answers", "untried": "not asked yet", "set-aside": "passed over"][checker.state]
        var words = "\(checker.name): \(state ?? checker.state)"
        if let latency = checker.lastLatencyMilliseconds { words += ", \(latency) ms" }
        if let age = checker.lastAskedSecondsAgo { words += ", \(Text.duration(age)) ago" }
        return words + because(of: checker.lastErrorCode)
    }

    private func confirmations(_ report: ConfirmationsReport) -> String {
        guard report.isOn else { return "refusals are final as they come (ConfirmRefusals=no)" }
        return "\(report.agreed) refusals, \(report.overruled) overruled, \(report.notPermitted) could not be,"
            + " \(report.unanswered) unanswered" + because(of: report.lastErrorCode)
    }

    /// The reason code alone; the particulars are in the warning.
    private func because(of code: String?) -> String { code.map { "; \($0)" } ?? "" }

    private func keys(_ keys: KeysReport) -> String {
        var words = "\(keys.count) of \(keys.sources.isEmpty ? "no source" : keys.sources.joined(separator: ", "))"
        if let age = keys.ageSeconds { words += ", confirmed \(Text.duration(age)) ago" }
        if keys.isStale { words += ", stale" }
        if keys.vanished > 0 { words += ", left out \(keys.vanished) times, back \(keys.returned) times" }
        return words + because(of: keys.lastErrorCode)
    }

    private func people(_ report: StatusReport) -> [String] {
        let accounts = report.accounts
        var lines = labelled("accounts", "\(accounts.enrolled) enrolled, \(accounts.retired) retired")
        if !accounts.shadowed.isEmpty {
            lines += labelled("", "hidden by local accounts: \(accounts.shadowed.joined(separator: ", "))", .doubtful)
        }
        return lines + labelled("now", "\(report.sessions) sessions, \(report.grants) administrators")
            + labelled("last hour", decisions(report.decisions))
            + (report.audit.map { labelled("audit", audit($0), $0.lastError == nil ? nil : .doubtful) } ?? [])
            + (report.records.map(records) ?? [])
    }

    private func audit(_ audit: AuditReport) -> String {
        guard audit.isPresent else { return "gets nothing: entralogin-audit.socket is not there" }
        return "\(audit.handedOver) events, \(audit.dropped) dropped"
    }

    /// Empty unless records wait or were lost.
    private func records(_ records: RecordsReport) -> [String] {
        guard records.waiting > 0 || records.lost > 0 else { return [] }
        return labelled("records", "\(records.waiting) wait for the journal, \(records.lost) lost", .doubtful)
    }

    private func decisions(_ decisions: DecisionsReport) -> String {
        let denied = decisions.denied.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let reasons = denied.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        let total = denied.reduce(0) { $0 + $1.value }
        return "\(decisions.allowed) allowed, \(total) denied" + (reasons.isEmpty ? "" : ": \(reasons)")
    }

    private func clock(_ ahead: Int64) -> String {
        switch ahead {
        case -2...2: "agrees with Azure's"
        case 0...: "\(Text.duration(ahead)) ahead of Azure's"
        default: "\(Text.duration(-ahead)) behind Azure's"
        }
    }

    private func warning(_ warning: ReportedWarning) -> [String] {
        let lines = labelled(warning.isGrave ? "FAILED" : "warning", warning.text, warning.isGrave ? .bad : .doubtful)
        return [""] + lines + (warning.remedy.isEmpty ? [] : labelled("  do", warning.remedy))
    }

    private func labelled(_ label: String, _ text: String, _ tone: Style.Tone? = nil) -> [String] {
        Text.labelled(label, column: StatusText.column, text, style, tone)
    }
}
