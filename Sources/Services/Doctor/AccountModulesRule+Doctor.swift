// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Integration

extension AccountModulesRule {
    /// What the modules do with Entra accounts in general. `probe`: the name of an account that does not exist.
    func evaluate(probe: String, shell: String, usersGroup: String, administratorsGroup: String) -> [Finding] {
        let account = Explanation.Account(
            name: probe,
            uid: PosixID.userRange.lowerBound,
            home: "",
            shell: shell,
            isEnrolled: false
        )
        let asked = evaluate(account, groups: [usersGroup]).map { finding -> Finding in
            var finding = finding
            finding.id = .pamOthers
            switch finding.severity {
            case .error:
                finding.found = "not every Entra account passes sshd's account stage: \(finding.found)"
                finding.severity = namesSome ? .warning : .error
            case .warning, .note, .good: break
            }
            return finding
        }
        return asked.filter { $0.severity > .good } + traps(administratorsGroup) + sudo(account, usersGroup)
    }

    /// What keeps administrators from using sudo; they can still sign in.
    private func sudo(_ account: Explanation.Account, _ usersGroup: String) -> [Finding] {
        guard PAMStack.folders.contains(where: { machine.exists("\($0)/sudo") }) else { return [] }
        let found = AccountModulesRule(machine: machine, service: "sudo").evaluate(account, groups: [usersGroup])
        return found.filter { $0.severity == .error }.map { finding in
            var finding = finding
            finding.id = .pamOthersSudo
            finding.severity = .warning
            finding.found = "sudo refuses administrators: \(finding.found)"
            return finding
        }
    }

    /// Whether some line lets Entra accounts in by name or group.
    private var namesSome: Bool {
        accessFiles.flatMap(\.lines).contains { line in
            line.isAllowing && line.users.contains { $0.contains("@") && !$0.hasPrefix("@") || $0.hasPrefix("(") }
        }
    }

    /// Words of access.conf that do not mean what they seem to mean.
    private func traps(_ administratorsGroup: String) -> [Finding] {
        accessFiles.flatMap(\.lines).flatMap { line in
            line.users.compactMap { word -> Finding? in
                if word.contains("@"), !word.hasPrefix("@"), !word.hasPrefix("(") {
                    return trap(
                        line,
                        "'\(word)' means the user before the @ on this very host, so no Entra account",
                        "(\(word))"
                    )
                }
                guard word == "(\(administratorsGroup))" || word == administratorsGroup else { return nil }
                let what = "membership of \(administratorsGroup) begins when a session opens, behind this stage"
                return trap(line, what, "the group of all Entra users")
            }
        }
    }

    private func trap(_ line: AccessFile.Line, _ what: String, _ needed: String) -> Finding {
        Finding(
            .pamAccess,
            .warning,
            "pam_access: \(what)",
            place: line.place,
            needed: needed,
            remedy: "write \(needed) there; a group of one user's own is there from the second sign-in on"
        )
    }
}
