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
        report.steps += standing(ofNewcomer: !account.isEnrolled)
        let check = PersonCheck(on: machine, usersGroup: settings.accounts.usersGroup)
        report.steps += check.run(account).map(Tool.step)
        return report
    }

    /// What the daemon says keeps people out, and no other step says: of a newcomer all of it, since nothing older stands in.
    private func standing(ofNewcomer isNew: Bool) -> [Explanation.Step] {
        // Of an account the role has been asked already.
        guard let report = try? isNew ? statusAfterAsking() : ask(.statusReport, for: StatusReport.self) else {
            return []
        }
        let said: Set<String> = ["no-authority-keys", "revoked-keys-unusable", "shadowed", "machine-unknown"]
        let grave = report.warnings.filter { warning in
            warning.isGrave && (isNew ? !said.contains(warning.id) : warning.id == "keys-not-published")
        }
        return grave.map { warning in
            Explanation.Step("daemon", .refused, warning.text, remedy: warning.remedy, reason: warning.id)
        }
    }

    private static func step(_ finding: Finding) -> Explanation.Step {
        let outcome: Explanation.Outcome =
            switch finding.severity {
            case .good, .note: .ok
            case .warning: .unknown
            case .error: .refused
            }
        // `sshd.requiredrsasize` and the like are sshd's.
        let subject = String(finding.id.prefix { $0 != "." })
        let place = finding.place.map { " (\($0))" } ?? ""
        return Explanation.Step(subject, outcome, finding.found + place, remedy: finding.remedy)
    }

    /// A local account that cannot be Entra's: nothing of entralogin decides about it. Nil for every other name.
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
