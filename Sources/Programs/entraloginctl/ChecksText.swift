// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Wire

/// `check`, `sessions` and `keys` as text.
struct ChecksText: Sendable {
    private static let column = 12
    let style: Style
    /// Seconds since 1970.
    let now: Int64

    /// `needed`: what the caller asked for.
    func check(_ report: RoleCheckReport, needed: Role) -> [String] {
        let isEnough = ChecksText.isEnough(report, needed: needed)
        var lines = labelled("answer", answer(report, needed: needed), isEnough ? .good : .bad)
        lines += labelled("person", "\(report.name), object id \(report.objectID)")
        if let resource = report.resource { lines += labelled("asked about", resource) }
        for row in report.answers {
            let said = row.role.map(ChecksText.words) ?? "no answer: \(row.text ?? row.reason ?? "no reason given")"
            lines += labelled(row.checker, "\(said), \(row.latencyMilliseconds) ms", row.role == nil ? .doubtful : nil)
            lines += labelled("", "correlation id \(row.correlationID)")
            if let remedy = row.remedy, !remedy.isEmpty { lines += labelled("  do", remedy) }
        }
        if let account = report.account { lines += self.account(account) }
        if let text = report.confirmation.flatMap(ChecksText.confirmation) { lines += labelled("confirmed", text) }
        if report.isDisputed {
            let text =
                "they disagree: the first answer counts, and role assignments where they confirm it; a new assignment takes"
                + " minutes"
            lines += labelled("warning", text, .doubtful)
        }
        return lines
    }

    private func account(_ answer: AccountAnswer) -> [String] {
        let said =
            switch answer.state {
            case "enabled": "enabled in Entra"
            case "disabled": "disabled in Entra, so no role counts"
            case "absent": "not in Entra, so no role counts"
            case let state?: printable(state)
            case nil: "no answer, so nobody new gets in: \(answer.text ?? answer.reason ?? "no reason given")"
            }
        let tone: Style.Tone? = answer.state == "enabled" ? nil : answer.state == nil ? .doubtful : .bad
        let lines = labelled("account", "\(said), \(answer.latencyMilliseconds) ms", tone)
        guard let remedy = answer.remedy, !remedy.isEmpty else { return lines }
        return lines + labelled("  do", remedy)
    }

    static func isEnough(_ report: RoleCheckReport, needed: Role) -> Bool {
        guard let role = report.role.flatMap(Role.init(rawValue:)) else { return false }
        return role == .administrator || needed == .user
    }

    private func answer(_ report: RoleCheckReport, needed: Role) -> String {
        guard report.resource != nil else { return "undecided: this machine does not know yet what it is in Azure" }
        guard let role = report.role else { return "undecided, which is a no: nobody who counts has answered" }
        if let state = report.account?.state, state != "enabled" {
            return "the account is \(printable(state)) in Entra"
        }
        let words = ChecksText.words(role)
        return role == Role.user.rawValue && needed == .administrator ? "\(words), and that is no administrator" : words
    }

    private static func confirmation(_ word: String) -> String? {
        switch word {
        case "agreed": "role assignments give no more"
        case "overruled": "role assignments give more, and that counts: a role held through a group"
        case "not-permitted": "not: role assignments may not be read, and the refusal counts without them"
        case "unanswered": "not yet: role assignments gave no answer, so what is refused is undecided"
        default: nil
        }
    }

    private static func words(_ role: String) -> String {
        Role(rawValue: role).map { "\"\($0.builtInName)\"" } ?? "no role that lets this person in here"
    }

    func sessions(_ report: SessionsReport) -> [String] {
        guard !report.sessions.isEmpty else { return ["No Entra account is signed in over SSH."] }
        let rows = report.sessions.map { session in
            [
                session.name.isEmpty ? String(session.uid) : session.name, Text.duration(now - session.openedAt),
                session.isAdministrator ? "administrator" : "user", String(session.pid),
            ]
        }
        return Text.list(["NAME", "SINCE", "BEGAN AS", "SSHD"], rows, style) + rest(report.total, rows.count)
    }

    func ended(_ report: EndedSessionsReport, again: Bool = false) -> [String] {
        var lines = ["\(report.name): \(report.ended) processes ended."]
        if again { lines = report.left > 0 ? [] : ["Nothing runs as \(report.name) any more."] }
        if report.left > 0 { lines.append(style.paint("\(report.left) of uid \(report.uid) still run.", .bad)) }
        guard !report.others.isEmpty else { return lines }
        lines.append("Not ended, because they run as other users:")
        let rows = report.others.map { [String($0.pid), String($0.uid), printable($0.command)] }
        return lines + Text.list(["PID", "UID", "COMMAND"], rows, style)
    }

    func keys(_ report: KeyListReport) -> [String] {
        let faults = (report.faults ?? []).map { style.paint("Not fetched: \(printable($0))", .bad) }
        guard !report.keys.isEmpty else { return [style.paint("No key is known: nobody can sign in.", .bad)] + faults }
        let rows = report.keys.flatMap { key in
            let state = key.rotatedOutAt.map { "rotated out \(Text.duration(now - $0)) ago" }
            let confirmed = "confirmed \(Text.duration(now - key.confirmedAt)) ago"
            return ["\(key.fingerprint)  \(key.type)", "  \(key.source), \(state ?? confirmed)"]
        }
        return rows + rest(report.total, report.keys.count) + faults
    }

    private func rest(_ total: Int, _ shown: Int) -> [String] { total > shown ? ["and \(total - shown) more"] : [] }

    private func labelled(_ label: String, _ text: String, _ tone: Style.Tone? = nil) -> [String] {
        Text.labelled(label, column: ChecksText.column, text, style, tone)
    }
}
