// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Reports `Match Group` blocks for administrators, which miss their first session: the membership begins when a
/// session opens, and by then sshd has evaluated the groups.
struct AdministratorsBlockRule: Sendable {
    let administratorsGroup: String

    func evaluate(_ lines: [ConfigurationLine]) -> [Finding] {
        lines.filter { $0.keyword == "match" && names(it: $0.rest) }.map { line in
            Finding(
                .sshdMatchAdministrators,
                .warning,
                "'Match \(line.rest)' misses every administrator's first session: membership of \(administratorsGroup)"
                    + " begins when a session opens",
                place: line.place,
                needed: "Match Group with the group of all Entra users, or Match User",
                remedy:
                    "write the block for all Entra users; what only sudo does can be recorded by sudo itself (log_output)"
            )
        }
    }

    private func names(it rest: String) -> Bool {
        guard let words = SSHDWords.arguments(of: rest),
            let keyword = words.firstIndex(where: { $0.lowercased() == "group" }), keyword + 1 < words.count
        else { return false }
        return words[keyword + 1].split(separator: ",").contains {
            SSHDPattern.matches(administratorsGroup, $0) && $0 != "*"
        }
    }
}
