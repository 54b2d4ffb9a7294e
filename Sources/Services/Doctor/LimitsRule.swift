// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Finds limits of zero in the files of pam_limits (limits.conf(5)) that keep an account from any session: no login, or
/// no process. If several lines apply, a line for the name takes precedence over one for a group, and that over one for
/// `*`; among equals the last counts. Hard and soft limits are separate, and either keeps out: pam_limits lowers the
/// soft limit to the hard one, and the kernel starts no program beyond the soft one (setrlimit(2)), so no user comes as
/// far as raising it. Of logins pam_limits has one limit, whatever the line's type is.
struct LimitsRule: Sendable {
    private static let module = "pam_limits.so"
    private static let items: Set<String> = ["maxlogins", "maxsyslogins", "nproc"]
    private static let files = "/etc/security/limits.conf"
    private static let folder = "/etc/security/limits.d/*.conf"

    private struct Line {
        var rank: Int
        var item: String
        /// Nil if the line is about both, or if the item has one limit only.
        var isHard: Bool?
        var isNone: Bool
        var place: String
    }

    let machine: any HostView

    /// The `file:line` and the item that keep that account from a session; nil if there is none, or sshd's session
    /// stage does not use pam_limits.
    func obstacle(name: String, groups: [String]) -> (place: String, item: String)? {
        guard let stack = try? PAMStack(service: "sshd", type: "session", on: machine) else { return nil }
        let asked = stack.entries.filter { $0.module == LimitsRule.module }
        guard !asked.isEmpty else { return nil }
        let named = asked.flatMap { entry in
            entry.arguments.filter { $0.hasPrefix("conf=") }.map { String($0.dropFirst(5)) }
        }
        let paths = named.isEmpty ? [LimitsRule.files] + machine.paths(matching: LimitsRule.folder) : named
        let lines = paths.flatMap { self.lines(of: $0, name, groups) }
        for item in LimitsRule.items.sorted() {
            for isHard in [true, false] {
                let concerning = lines.filter { $0.item == item && ($0.isHard ?? isHard) == isHard }
                let rank = concerning.map(\.rank).max()
                if let last = concerning.last(where: { $0.rank == rank }), last.isNone { return (last.place, item) }
            }
        }
        return nil
    }

    /// For `explain` of one account, and for `doctor` with the name of an account that does not exist.
    func evaluate(name: String, groups: [String]) -> [Finding] {
        guard let (place, item) = obstacle(name: name, groups: groups) else { return [] }
        return [
            Finding(
                .limits,
                .error,
                "pam_limits opens no session: \(item) is 0",
                place: place,
                remedy: "write a larger number there, or name whom it is meant for in the place of *"
            )
        ]
    }

    private func lines(of path: String, _ name: String, _ groups: [String]) -> [Line] {
        guard let text = try? machine.text(of: path) else { return [] }
        return text.lines.enumerated().compactMap { index, raw in
            let words = raw.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard words.count == 4, ["hard", "-", "soft"].contains(words[1]),
                LimitsRule.items.contains(String(words[2])), let rank = rank(of: words[0], name, groups)
            else { return nil }
            let item = String(words[2])
            let isHard = item != "nproc" || words[1] == "-" ? nil : words[1] == "hard"
            return Line(rank: rank, item: item, isHard: isHard, isNone: words[3] == "0", place: "\(path):\(index + 1)")
        }
    }

    /// Nil if the line is for other accounts; ranges of numbers are not evaluated.
    private func rank(of domain: Substring, _ name: String, _ groups: [String]) -> Int? {
        if domain == "*" { return 0 }
        if domain == "%" { return nil }
        if domain.hasPrefix("@") || domain.hasPrefix("%") {
            return groups.contains(String(domain.dropFirst())) ? 1 : nil
        }
        return domain == name ? 2 : nil
    }
}
