// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Doctor
internal import Identity
internal import Integration
internal import Settings
internal import Wire

extension Tool {
    /// The daemon's steps and, for an account that it knows, those of sshd, PAM and the disk.
    func explanation(of name: String) throws(DaemonError) -> Explanation {
        if let local = localAccount(name) { return local }
        var report = try ask(.explain(name), for: Explanation.self)
        guard let account = report.account else { return report }
        let settings = self.settings
        report.steps += standing(ofNewcomer: !account.isEnrolled)
        let check = PersonCheck(on: machine, usersGroup: settings.accounts.usersGroup)
        report.steps += check.run(account).map { Tool.step($0) }
        report.steps += machineSteps(report, settings).filter { step in !report.steps.contains { $0.text == step.text }
        }
        return report
    }

    /// What refuses all users, or all new ones, whatever their names: the integration as it is now, while the daemon
    /// goes by the last check; and the rest of the machine.
    private func machineSteps(_ report: Explanation, _ settings: ToolSettings) -> [Explanation.Step] {
        guard let account = report.account else { return [] }
        let saysStack = report.steps.contains { $0.subject == "stack" && $0.outcome == .refused }
        let integration =
            saysStack
            ? [] : stampWriter(for: settings).check().findings.filter { $0.severity == .error && $0.keepsOut != .later }
        let around = machineCheck(settings).keepingOut() + SignInSettingsRule(settings: settings).evaluate()
        let concerning = around.filter { $0.keepsOut == .everybody || $0.keepsOut == .newcomers && !account.isEnrolled }
        return integration.map { Tool.step($0, subject: "stack") }
            + concerning.map { Tool.step($0, subject: "machine") }
    }

    /// Grave warnings of the daemon that no other step reports: for a new user all, because no older answer stands in.
    private func standing(ofNewcomer isNew: Bool) -> [Explanation.Step] {
        // For an enrolled account, the role has been asked already.
        guard let report = try? isNew ? statusAfterAsking() : ask(.statusReport, for: StatusReport.self) else {
            return []
        }
        let said: Set<WarningID> = [
            WarningID(.noAuthorityKeys), WarningID(.revokedKeysUnusable), .shadowed, WarningID(.machineUnknown),
            .refusalsUnconfirmed, WarningID(.roleUnconfirmed),
        ]
        let grave = report.warnings.filter { warning in
            warning.isGrave && (isNew ? !said.contains(warning.id) : warning.id == .keysNotPublished)
        }
        let steps = grave.map { warning in
            Explanation.Step("daemon", .refused, warning.text, remedy: warning.remedy, reason: warning.id.rawValue)
        }
        guard let clock = DaemonFindings.clock(report.clockAheadSeconds), clock.keepsOut != nil else { return steps }
        return steps + [Tool.step(clock, subject: "clock")]
    }

    /// `subject`: where it is nil, the first word of the finding's id: `sshd` for `sshd.requiredrsasize`.
    private static func step(_ finding: Finding, subject: String? = nil) -> Explanation.Step {
        let outcome: Explanation.Outcome =
            switch finding.severity {
            case .good, .note: .ok
            case .warning: .unknown
            case .error: .refused
            }
        let subject = subject ?? finding.id.subject.rawValue
        let place = finding.place.map { " (\($0))" } ?? ""
        return Explanation.Step(subject, outcome, finding.found + place, remedy: finding.remedy)
    }

    /// Explains a local account whose name no Entra account can have: entralogin decides nothing about it. Else nil.
    private func localAccount(_ name: String) -> Explanation? {
        guard UserName(folding: name) == nil, let passwd = try? machine.text(of: "/etc/passwd"),
            passwd.split(separator: "\n").contains(where: { $0.hasPrefix("\(name):") })
        else { return nil }
        let text = "A local account of this machine: entralogin decides nothing about it"
        var report = Explanation(name: name, steps: [Explanation.Step("account", .ok, text)])
        report.isLocal = true
        return report
    }
}
