// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates sshd's four lists for one user, in sshd's order (auth.c, `allowed_user`).
struct PersonAdmittanceRule: Sendable {
    let name: String
    let groups: [String]
    let isEnrolled: Bool
    var lines: [ConfigurationLine] = []

    func evaluate(_ configuration: SSHDConfiguration) -> [Finding] {
        let resolves = configuration.value(of: "usedns") == "yes"
        let found =
            denied(configuration.words(of: "denyusers"), resolves)
            + allowed(configuration.words(of: "allowusers"), resolves)
            + deniedGroups(configuration.words(of: "denygroups"))
            + allowedGroups(configuration.words(of: "allowgroups"))
        return found.isEmpty ? [Finding(.sshd, .good, "No list of sshd's turns this user away")] : found
    }

    private func denied(_ words: [String], _ resolves: Bool) -> [Finding] {
        let matches = words.map { ($0, SSHDUserPattern($0).match(name, resolvesHosts: resolves)) }
        if let pattern = matches.first(where: { $0.1 == .always })?.0 {
            return [turnedAway("DenyUsers \(pattern)", "denyusers", "take that pattern out there, then reload sshd")]
        }
        guard let pattern = matches.first(where: { $0.1 == .fromSomeHosts })?.0 else { return [] }
        return [unknown("DenyUsers \(pattern) turns this user away where they come from such a host", "denyusers")]
    }

    private func allowed(_ words: [String], _ resolves: Bool) -> [Finding] {
        guard !words.isEmpty else { return [] }
        let matches = words.map { ($0, SSHDUserPattern($0).match(name, resolvesHosts: resolves)) }
        if matches.contains(where: { $0.1 == .always }) { return [] }
        if let pattern = matches.first(where: { $0.1 == .fromSomeHosts })?.0 {
            return [unknown("AllowUsers \(pattern) lets this user in from such a host only", "allowusers")]
        }
        let pattern = name.replacing("@", with: "?")
        return [
            turnedAway(
                "AllowUsers (\(words.joined(separator: " "))), which does not name them",
                "allowusers",
                "add \(pattern) there (to sshd, what stands behind an @ is a host), then reload sshd"
            )
        ]
    }

    private func deniedGroups(_ words: [String]) -> [Finding] {
        guard let group = groups.first(where: { group in words.contains { SSHDPattern.matches(group, $0[...]) } })
        else {
            return []
        }
        return [
            turnedAway("DenyGroups, because of the group \(group)", "denygroups", "take it out there, then reload sshd")
        ]
    }

    private func allowedGroups(_ words: [String]) -> [Finding] {
        let isNamed = groups.contains { group in words.contains { SSHDPattern.matches(group, $0[...]) } }
        guard !words.isEmpty, !isNamed else { return [] }
        let list = words.joined(separator: " ")
        let first = isEnrolled ? "" : "; at a first sign-in these are \(groups.joined(separator: ", "))"
        return [
            turnedAway(
                "AllowGroups (\(list)), which has none of their groups\(first)",
                "allowgroups",
                "add \(groups.first ?? "the group of all Entra users") there, then reload sshd"
            )
        ]
    }

    private func turnedAway(_ why: String, _ keyword: String, _ remedy: String) -> Finding {
        let what = "sshd turns this user away before it asks for a certificate: \(why)"
        return Finding(.sshd, .error, what, place: place(of: keyword), remedy: remedy)
    }

    private func unknown(_ what: String, _ keyword: String) -> Finding {
        Finding(
            .sshd,
            .warning,
            "sshd: \(what)",
            place: place(of: keyword),
            remedy: "sshd's own log says from where they came"
        )
    }

    private func place(of keyword: String) -> String? { lines.first { $0.keyword == keyword }?.place }
}
