// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates `AllowUsers`, `DenyUsers`, `AllowGroups` and `DenyGroups` of sshd (sshd_config(5)): whether sshd lets
/// Entra accounts get as far as their certificate. These settings let no user in, so the integration check leaves them
/// out.
struct AdmittanceRule: Sendable {
    let usersGroup: String
    let administratorsGroup: String
    /// The name of an Entra account that does not exist.
    let probe: String
    /// The lines that sshd reads, for the places in findings; empty if unknown.
    var lines: [ConfigurationLine] = []

    func evaluate(_ configuration: SSHDConfiguration) -> [Finding] {
        let resolves = configuration.value(of: "usedns") == "yes"
        let found =
            allowedUsers(configuration.words(of: "allowusers").map(SSHDUserPattern.init), resolves)
            + deniedUsers(configuration.words(of: "denyusers").map(SSHDUserPattern.init), resolves)
            + [
                allowedGroups(configuration.words(of: "allowgroups")),
                deniedGroups(configuration.words(of: "denygroups")),
            ].compactMap(\.self)
        guard found.contains(where: { $0.severity > .note }) else {
            return found + [Finding(.sshdAdmittance, .good, "sshd turns no group of Entra accounts away")]
        }
        return found
    }

    private var domain: String { String(probe.drop { $0 != "@" }.dropFirst()) }

    private func allowedUsers(_ patterns: [SSHDUserPattern], _ resolves: Bool) -> [Finding] {
        guard !patterns.isEmpty else { return [] }
        let all = patterns.map(\.text).joined(separator: " ")
        let misread = patterns.filter { $0.isNameOfEntra && $0.match(probe, resolvesHosts: resolves) == .never }
        let anyone = patterns.contains { $0.match(probe, resolvesHosts: resolves) != .never }
        if anyone, misread.isEmpty { return [] }
        let behind =
            "; the part behind an @ is the host that they come from, so alice@contoso.com there is no Entra account"
        let isSelective = anyone || patterns.contains { $0.mayMatchSomeone(resolvesHosts: resolves) }
        guard !isSelective || !misread.isEmpty else {
            let found = "sshd: AllowUsers (\(all)) lets in only whom it names; other Entra accounts are turned away"
            return [Finding(.sshd(keyword: "allowusers"), .note, found, place: place(of: "allowusers"))]
        }
        return [
            Finding(
                .sshd(keyword: "allowusers"),
                isSelective ? .warning : .error,
                "sshd: AllowUsers (\(all)) lets in only whom it names" + (isSelective && misread.isEmpty ? "" : behind),
                place: place(of: "allowusers"),
                needed: "AllowUsers *?\(domain) beside the others, or AllowGroups \(usersGroup) instead",
                remedy: "change it there, then reload sshd; for one person: "
                    + (misread.first { !$0.text.hasPrefix("*") }?.corrected ?? "alice?contoso.com")
            )
        ]
    }

    private func deniedUsers(_ patterns: [SSHDUserPattern], _ resolves: Bool) -> [Finding] {
        let everyone = patterns.filter { $0.match(probe, resolvesHosts: resolves) == .always }.map {
            Finding(
                .sshd(keyword: "denyusers"),
                .error,
                "sshd: DenyUsers \($0.text) turns every Entra account away",
                place: place(of: "denyusers"),
                remedy: "take that pattern out there, then reload sshd"
            )
        }
        let nobody = patterns.filter { $0.isNameOfEntra }.map {
            Finding(
                .sshd(keyword: "denyusers"),
                .warning,
                "sshd: DenyUsers \($0.text) denies no Entra account: the part behind an @ is the host that they come from",
                place: place(of: "denyusers"),
                needed: "DenyUsers \($0.corrected)",
                remedy: "write \($0.corrected) there, then reload sshd"
            )
        }
        return (everyone.isEmpty ? [] : [everyone[0]]) + nobody
    }

    private func allowedGroups(_ patterns: [String]) -> Finding? {
        guard !patterns.isEmpty, !isAny(patterns, usersGroup) else { return nil }
        let listed = "sshd: AllowGroups is '\(patterns.joined(separator: " "))'"
        let remedy = "AllowGroups … \(usersGroup) in sshd_config, then reload sshd"
        let place = place(of: "allowgroups")
        guard isAny(patterns, administratorsGroup) else {
            // A user's own group has the user's name, and exists from the first session on.
            let own = patterns.filter { $0.contains("@") }.joined(separator: ", ")
            return Finding(
                .sshd(keyword: "allowgroups"),
                .error,
                own.isEmpty
                    ? "\(listed): every Entra account is turned away before the role is looked at"
                    : "\(listed): only \(own) can sign in, and only after a first sign-in, which is turned away",
                place: place,
                needed: "\(usersGroup), the group of every Entra account from its first sign-in on",
                remedy: remedy
            )
        }
        return Finding(
            .sshd(keyword: "allowgroups"),
            .error,
            "\(listed): membership of \(administratorsGroup) begins when a session opens, so nobody can open the first",
            place: place,
            needed: "\(usersGroup); who may is Azure's to say",
            remedy: remedy
        )
    }

    private func deniedGroups(_ patterns: [String]) -> Finding? {
        let remedy = "take it out of sshd_config, then reload sshd"
        let place = place(of: "denygroups")
        if isAny(patterns, usersGroup) {
            let what = "sshd: DenyGroups turns the group \(usersGroup) away, which is every Entra account"
            return Finding(.sshd(keyword: "denygroups"), .error, what, place: place, remedy: remedy)
        }
        if isAny(patterns, administratorsGroup) {
            let what =
                "sshd: DenyGroups turns \(administratorsGroup) away: an administrator's second session is refused"
            return Finding(.sshd(keyword: "denygroups"), .warning, what, place: place, remedy: remedy)
        }
        guard let own = patterns.first(where: { $0.contains("@") }) else { return nil }
        let what = "sshd: DenyGroups \(own) turns that user away only after a first sign-in, when the group is there"
        return Finding(
            .sshd(keyword: "denygroups"),
            .note,
            what,
            place: place,
            needed: "DenyUsers \(own.replacing("@", with: "?"))"
        )
    }

    private func isAny(_ patterns: [String], _ group: String) -> Bool {
        patterns.contains { SSHDPattern.matches(group, $0[...]) }
    }

    private func place(of keyword: String) -> String? { lines.first { $0.keyword == keyword }?.place }
}
