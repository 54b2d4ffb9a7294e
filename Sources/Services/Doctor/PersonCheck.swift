// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Integration

/// What sshd, PAM and the disk would do with one account, which the daemon cannot see: for `explain`. Changes nothing.
package struct PersonCheck: Sendable {
    private let machine: any EnvironmentView
    private let usersGroup: String

    /// `usersGroup`: the group of every Entra account.
    package init(on machine: any EnvironmentView, usersGroup: String) {
        self.machine = machine
        self.usersGroup = usersGroup
    }

    /// Good: as it must be. Error: it keeps this account out. Warning: it cannot be known here.
    package func run(_ account: Explanation.Account) -> [Finding] {
        let groups = self.groups(of: account)
        return sshd(account, groups) + [shell(account)] + home(account) + nologin()
            + AccountModulesRule(machine: machine).evaluate(account, groups: groups)
            + LimitsRule(machine: machine).evaluate(name: account.name, groups: groups)
    }

    private func sshd(_ account: Explanation.Account, _ groups: [String]) -> [Finding] {
        guard let program = StackCheck.sshdPrograms.first(where: { machine.exists($0) }) else { return [] }
        let result = machine.run(program, ["-T", "-C", StackCheck.connection(of: account.name)])
        guard result.status == 0 else {
            let line = result.complaint.lines.first { !$0.isEmpty } ?? "no reason given"
            return [
                Finding(.sshd, .error, "sshd refuses its configuration: \(line)", remedy: "\(program) -t shows it")
            ]
        }
        let configuration = SSHDConfiguration(result.output)
        let rule = PersonAdmittanceRule(
            name: account.name,
            groups: groups,
            isEnrolled: account.isEnrolled,
            lines: SSHDFiles(on: machine).lines
        )
        return rule.evaluate(configuration) + AlgorithmsRule().evaluate(configuration)
            + SSHDLimitsRule(shell: account.shell, lines: rule.lines).evaluate(configuration, machine)
    }

    private func shell(_ account: Explanation.Account) -> Finding {
        guard let obstacle = ShellRule.obstacle(account.shell, machine) else {
            return Finding(.shell, .good, "The shell \(account.shell) is there")
        }
        return Finding(
            .shell,
            .error,
            "This user cannot work here: \(obstacle)",
            remedy: account.isEnrolled
                ? "install it, or: entraloginctl users set-shell \(account.name) /bin/bash"
                : "install it, or name another with Shell= in [Accounts] or [Overrides] and systemctl restart entralogind"
        )
    }

    private func home(_ account: Explanation.Account) -> [Finding] {
        let rule = HomeRule(machine: machine)
        if let obstacle = rule.obstacle(at: account.home, uid: account.uid) {
            return [
                Finding(
                    .home,
                    .error,
                    "No session opens: \(obstacle.text)",
                    place: obstacle.place,
                    remedy: obstacle.remedy
                )
            ]
        }
        let isUnfinished = machine.isUnfinishedHome(account.home, uid: account.uid)
        guard !machine.exists(account.home) || isUnfinished else {
            return [Finding(.home, .good, "The home \(account.home) is this user's")]
        }
        if let obstacle = rule.hindrance(toMaking: account.home) {
            return [Finding(.home, .warning, obstacle.text, place: obstacle.place, remedy: obstacle.remedy)]
        }
        let what =
            isUnfinished
            ? "was begun and never finished: it is made anew at the next session" : "is made at the first session"
        return [Finding(.home, .good, "The home \(account.home) \(what)")]
    }

    private func nologin() -> [Finding] {
        NologinRule().evaluate(machine)
    }

    /// As sshd asks for them. A user who never signed in has the group of all Entra users and those of the local file.
    private func groups(of account: Explanation.Account) -> [String] {
        let local = ((try? machine.text(of: "/etc/group")) ?? "").lines.compactMap { line -> String? in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 3, fields[3].split(separator: ",").contains(account.name[...]) else { return nil }
            return String(fields[0])
        }
        guard account.isEnrolled else { return [usersGroup] + local }
        let asked = machine.run("/usr/bin/id", ["-Gn", "--", account.name])
        let named = asked.status == 0 ? asked.output.split { $0 == " " || $0 == "\n" }.map(String.init) : []
        return named.isEmpty ? [usersGroup, account.name] + local : named
    }
}
