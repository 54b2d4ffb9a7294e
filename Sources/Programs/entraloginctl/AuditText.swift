// SPDX-License-Identifier: Apache-2.0

internal import AccountAudit
internal import Integration

/// The audit as text: a table, its details, then the conclusion.
struct AuditText: Sendable {
    let style: Style

    func lines(_ report: AccountAuditReport) -> [String] {
        var lines: [String] = []
        if !report.accounts.isEmpty {
            let rows = report.accounts.map { account in
                [
                    account.name, String(account.uid), password(of: account), keys(of: account), sudo(of: account),
                    account.notAllowed.isEmpty ? "allowed" : "NOT ALLOWED",
                ]
            }
            lines += Text.list(["ACCOUNT", "UID", "PASSWORD", "KEYS", "SUDO", "STATE"], rows, style) + [""]
        }
        lines += report.accounts.flatMap(details)
        lines += report.problems.flatMap { Text.wrap("\($0.place): \($0.text)", width: Style.width) }
        if !report.allowedInVain.isEmpty {
            let names = report.allowedInVain.joined(separator: ", ")
            lines += Text.wrap("On the allow-list, though nobody can sign in to it: \(names)", width: Style.width)
        }
        if !report.entraNames.isEmpty {
            let names = report.entraNames.joined(separator: ", ")
            lines += Text.wrap("Local, so the Entra account of that name cannot sign in: \(names)", width: Style.width)
        }
        if let last = lines.last, !last.isEmpty { lines.append("") }
        return lines + [conclusion(report)]
    }

    private func password(of account: AuditedAccount) -> String {
        guard account.ways.contains(.password) else { return "-" }
        let place = account.passwordOverSSH ? "ssh" : "console"
        return account.hasEmptyPassword ? "EMPTY, \(place)" : place
    }

    private func keys(of account: AuditedAccount) -> String {
        account.hasKeysCommand ? "\(account.keys)+" : account.keys == 0 ? "-" : String(account.keys)
    }

    private func sudo(of account: AuditedAccount) -> String {
        account.sudo == .none ? "-" : account.sudo.rawValue
    }

    /// What the table has no room for.
    private func details(_ account: AuditedAccount) -> [String] {
        var facts: [String] = []
        let add = { (fact: String, applies: Bool) in if applies { facts.append(fact) } }
        add("keys in \(account.keyFiles.joined(separator: ", "))", account.keys > 0 && !account.keyFiles.isEmpty)
        add("sshd asks a program for keys (AuthorizedKeysCommand)", account.hasKeysCommand)
        add("sshd trusts an authority (TrustedUserCAKeys)", account.ways.contains(.certificates))
        add("sshd trusts other machines (HostbasedAuthentication)", account.ways.contains(.hosts))
        add("sshd asks Kerberos", account.ways.contains(.kerberos))
        add("\(account.shell) refuses, but sshd forwards ports", account.shellRefuses)
        if !account.notAllowed.isEmpty {
            facts.append("not allowed: \(account.notAllowed.map(\.rawValue).joined(separator: ", "))")
        }
        guard !facts.isEmpty else { return [] }
        return Text.wrap("\(account.name): \(facts.joined(separator: "; "))", width: Style.width)
    }

    private func conclusion(_ report: AccountAuditReport) -> String {
        let count = report.accounts.count { !$0.notAllowed.isEmpty }
        guard !report.isWell else {
            let text =
                report.accounts.isEmpty
                ? "Nobody can sign in without Entra." : "Nobody can sign in without Entra but as allowed."
            return style.paint(text, .good)
        }
        guard count > 0 else { return style.paint("Not everything could be looked at.", .bad) }
        let text =
            count == 1
            ? "One account lets people in without Entra." : "\(count) accounts let people in without Entra."
        return style.paint(text, .bad)
    }
}
