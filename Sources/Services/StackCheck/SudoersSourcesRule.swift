// SPDX-License-Identifier: Apache-2.0

/// Evaluates where sudo takes its rules from (nsswitch.conf, `sudoers:`). What SSSD or LDAP says cannot be read as files are;
/// what it comes to for everybody, sudo itself says (`sudo -l`).
struct SudoersSourcesRule: Sendable {
    func judge(_ machine: any MachineView) -> [Finding] {
        guard let text = try? machine.text(of: NameServiceRule.path),
            let line = NameServiceRule.databases(of: text)["sudoers"]
        else { return [] }
        let place = "\(NameServiceRule.path):\(line.number)"
        let sources = line.words.filter { !$0.hasPrefix("[") }
        guard sources.contains("files") else {
            return [
                Finding(
                    "sudoers.sources",
                    .error,
                    "sudo does not read its files: administrators have no sudo",
                    place: place,
                    needed: "sudoers: files, and what else there is behind it",
                    remedy: "write files first in that line"
                )
            ]
        }
        let others = sources.filter { $0 != "files" }
        return others.isEmpty ? [] : [judge(others.joined(separator: ", "), place, machine)]
    }

    private func judge(_ others: String, _ place: String, _ machine: any MachineView) -> Finding {
        let program = SudoAnswer.programs.first { machine.exists($0) }
        let answer = program.map { machine.run($0, ["-n", "-l"]) }
        let heading = answer?.output.lines.prefix { !$0.contains(" may run the following commands") } ?? []
        let words = heading.flatMap { $0.split { $0 == " " || $0 == "," || $0 == "=" } }
        if let found = SudoersSourcesRule.dangerous(words) {
            return Finding(
                "sudoers.sources",
                .error,
                "sudo goes by \(found) for everybody: other rules for Entra accounts outlive the role",
                place: place,
                needed: "PAM's account stage of the service sudo, and no other group plugin",
                remedy: "take that out where it is set, in sudo's files or in \(others) (cn=defaults)"
            )
        }
        return Finding(
            "sudoers.sources",
            .note,
            "sudo takes rules and defaults from \(others), too, whose options for single rules cannot be looked at from here",
            place: place
        )
    }

    /// `pam_service=sudo` is as it should be.
    private static func dangerous(_ words: [Substring]) -> String? {
        for (index, word) in words.enumerated() {
            guard SudoersFilesRule.passingOver.contains(String(word)) || word == "group_plugin" else { continue }
            let value = index + 1 < words.count ? words[index + 1] : ""
            let usual = ["sudo", "sudo-i", Substring(SudoersFilesRule.pluginPath)]
            if word.hasPrefix("!") || !usual.contains(value) { return String(word) }
        }
        return nil
    }
}
