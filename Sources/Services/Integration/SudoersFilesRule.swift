// SPDX-License-Identifier: Apache-2.0

/// Reads what other sudoers files say about entralogin: another plugin, a rule by its group's name or number, and
/// defaults that disable PAM's account stage. None of them gives a user entralogin's own rule; each weakens something.
package struct SudoersFilesRule: Sendable {
    let administratorsGroup: String
    /// The names of `[Groups]`.
    var mappedGroups: [String] = []

    package static let pluginPath = "/usr/libexec/entralogin/sudo_entralogin.so"
    private static let main = "/etc/sudoers"
    static let passingOver = ["!pam_acct_mgmt", "pam_service", "pam_login_service", "pam_askpass_service"]

    /// One line, continued ones joined, without comments.
    fileprivate struct Line {
        var text: String
        var place: String
        /// sudo reads it after entralogin's file, so that its defaults win.
        var isLate: Bool
    }

    func evaluate(_ machine: any HostView) -> [Finding] {
        let lines = SudoersFilesRule.lines(machine)
        return [otherPlugin(lines), byGroup(lines), byMappedGroup(lines), withoutStage(lines)].compactMap(\.self)
    }

    private func otherPlugin(_ lines: [Line]) -> Finding? {
        guard let line = lines.first(where: { $0.isLate && $0.defaults.contains("group_plugin") }) else { return nil }
        return Finding(
            .sudoersGroupPlugin,
            .error,
            "sudo asks another group plugin, named after entralogin's: administrators sign in as users, without sudo",
            place: line.place,
            needed: "group_plugin before /etc/sudoers.d/entralogin, where its own replaces it for Entra accounts",
            remedy: "move that line before '@includedir /etc/sudoers.d' in /etc/sudoers"
        )
    }

    private func byGroup(_ lines: [Line]) -> Finding? {
        let names = ["%\(administratorsGroup)", "%#1879048193"]
        guard let line = lines.first(where: { $0.defaults.isEmpty && $0.words.contains { names.contains($0) } }) else {
            return nil
        }
        return Finding(
            .sudoersByGroup,
            .warning,
            "a rule goes by the group of administrators: by a process's groups, which outlive the role, and by a name that "
                + "another name service may have",
            place: line.place,
            needed: LocalAccountsRule.members,
            remedy: "write that in its place: then sudo asks about the membership each time"
        )
    }

    private func byMappedGroup(_ lines: [Line]) -> Finding? {
        for line in lines where line.defaults.isEmpty {
            guard let name = mappedGroups.first(where: { line.words.contains("%\($0)") }) else { continue }
            return Finding(
                .sudoersByGroup,
                .warning,
                "a rule goes by the Entra group \(name): by a process's groups, which outlive the membership",
                place: line.place,
                needed: "\"%:entralogin:\(name)\"",
                remedy: "write that in its place: then sudo asks about the membership each time"
            )
        }
        return nil
    }

    private func withoutStage(_ lines: [Line]) -> Finding? {
        let found = lines.first { line in
            line.isLate
                && SudoersFilesRule.passingOver.contains { word in
                    line.defaults.contains(word) && line.value(of: word) != "sudo"
                }
        }
        guard let found else { return nil }
        return Finding(
            .sudoersAccountStage,
            .error,
            "sudo does not ask PAM's account stage of the service sudo: other rules for Entra accounts would outlive the role, so "
                + "administrators sign in as users, without sudo",
            place: found.place,
            needed: "PAM's account stage of the service sudo",
            remedy: "visudo, and take that out; a new sign-in has sudo again"
        )
    }

    /// The lines of /etc/sudoers and of the files that sudo reads in its folder: no name with a dot or a final `~`.
    private static func lines(_ machine: any HostView) -> [Line] {
        guard let text = try? machine.text(of: main) else { return [] }
        var isLate = false
        var result: [Line] = []
        for var line in logical(text, main) {
            if line.words.first == "@includedir" || line.words.first == "#includedir" { isLate = true }
            line.isLate = isLate
            result.append(line)
        }
        for path in machine.paths(matching: "/etc/sudoers.d/*") where path != LocalAccountsRule.sudoers {
            guard let name = path.split(separator: "/").last, !name.contains("."), !name.hasSuffix("~"),
                let text = try? machine.text(of: path)
            else { continue }
            result += logical(text, path).map { line in
                Line(text: line.text, place: line.place, isLate: path > LocalAccountsRule.sudoers)
            }
        }
        return result
    }

    private static func logical(_ text: String, _ path: String) -> [Line] {
        var result: [Line] = []
        var pending = ""
        for (index, raw) in text.lines.enumerated() {
            pending += raw
            if pending.hasSuffix("\\") {
                pending.removeLast()
                continue
            }
            let line = Line(text: pending, place: "\(path):\(index + 1)", isLate: false)
            let first = line.words.first ?? ""
            if !first.isEmpty, !first.hasPrefix("#") || first == "#includedir" || first == "#include" {
                result.append(line)
            }
            pending = ""
        }
        return result
    }
}

extension SudoersFilesRule.Line {
    var words: [String] {
        text.split { $0 == " " || $0 == "\t" || $0 == "," || $0 == "=" }.map { $0.filter { $0 != "\"" } }
    }

    /// The words of a Defaults line, whatever it is bound to; none for another line.
    var defaults: [String] { words.first?.hasPrefix("Defaults") == true ? words : [] }

    /// The value after a name and `=`.
    func value(of name: String) -> String? {
        guard let index = words.firstIndex(of: name), index + 1 < words.count else { return nil }
        return words[index + 1]
    }
}
