// SPDX-License-Identifier: Apache-2.0

/// Judges `AllowUsers`, `DenyUsers`, `AllowGroups` and `DenyGroups` of sshd (sshd_config(5)): whether people of ours get as
/// far as their certificate. Nobody gets in by them, so the stamp does not rest on them.
struct AdmittanceRule: Sendable {
    let usersGroup: String
    let administratorsGroup: String
    /// A name of ours that nobody has.
    let probe: String

    func judge(_ configuration: SSHDConfiguration) -> [Finding] {
        let found = [
            allowedUsers(configuration.words(of: "allowusers")), deniedUsers(configuration.words(of: "denyusers")),
            allowedGroups(configuration.words(of: "allowgroups")),
            deniedGroups(configuration.words(of: "denygroups")),
        ].compactMap(\.self)
        return found.isEmpty ? [Finding("sshd.admittance", .good, "sshd turns no group of Entra accounts away")] : found
    }

    private func allowedUsers(_ patterns: [String]) -> Finding? {
        guard !patterns.isEmpty, !patterns.contains(where: isProbe) else { return nil }
        // Some may be meant; nobody can be meant by user@host, which says where from.
        return Finding(
            "sshd.allowusers",
            .warning,
            "sshd: AllowUsers (\(patterns.joined(separator: " "))) lets in only whom it names; the part behind an @ is"
                + " the host that they come from, so alice@contoso.com there is no Entra account",
            needed: "AllowUsers *@* beside the others, or AllowGroups \(usersGroup) instead",
            remedy: "add it to sshd_config; for one person: alice?contoso.com"
        )
    }

    private func deniedUsers(_ patterns: [String]) -> Finding? {
        guard let pattern = patterns.first(where: isProbe) else { return nil }
        return Finding(
            "sshd.denyusers",
            .error,
            "sshd: DenyUsers \(pattern) turns every Entra account away",
            remedy: "take that pattern out of sshd_config, then reload sshd"
        )
    }

    private func allowedGroups(_ patterns: [String]) -> Finding? {
        guard !patterns.isEmpty, !isAny(patterns, usersGroup) else { return nil }
        let listed = "sshd: AllowGroups is '\(patterns.joined(separator: " "))'"
        let remedy = "AllowGroups … \(usersGroup) in sshd_config, then reload sshd"
        guard isAny(patterns, administratorsGroup) else {
            return Finding(
                "sshd.allowgroups",
                .error,
                "\(listed): every Entra account is turned away before the role is looked at",
                needed: "\(usersGroup), the group of every Entra account from its first sign-in on",
                remedy: remedy
            )
        }
        return Finding(
            "sshd.allowgroups",
            .error,
            "\(listed): membership of \(administratorsGroup) begins when a session opens, so nobody can open the first",
            needed: "\(usersGroup); who may is Azure's to say",
            remedy: remedy
        )
    }

    private func deniedGroups(_ patterns: [String]) -> Finding? {
        let remedy = "take it out of sshd_config, then reload sshd"
        if isAny(patterns, usersGroup) {
            let what = "sshd: DenyGroups turns the group \(usersGroup) away, which is every Entra account"
            return Finding("sshd.denygroups", .error, what, remedy: remedy)
        }
        guard isAny(patterns, administratorsGroup) else { return nil }
        let what = "sshd: DenyGroups turns \(administratorsGroup) away: an administrator's second session is refused"
        return Finding("sshd.denygroups", .warning, what, remedy: remedy)
    }

    private func isAny(_ patterns: [String], _ group: String) -> Bool {
        patterns.contains { SSHDPattern.matches(group, $0[...]) }
    }

    /// `USER` or `USER@HOST`: everything before the first @ is compared with the whole name (sshd_config(5)).
    private func isProbe(_ pattern: String) -> Bool {
        SSHDPattern.matches(probe, pattern.prefix { $0 != "@" })
    }
}
