// SPDX-License-Identifier: Apache-2.0

internal import Authorization

/// Evaluates the sources of sudo's rules (nsswitch.conf, `sudoers:`). LDAP's rules cannot be read like files; sudo
/// itself reports their effect on all users (`sudo -l`). SSSD gives rules and defaults to its own users and to local
/// ones, but not to Entra accounts, which it does not know.
struct SudoersSourcesRule: Sendable {
    func evaluate(_ machine: any HostView) -> [Finding] { look(machine).findings }

    /// `isUnseen`: there is such a source, and sudo does not report what it sets.
    func look(_ machine: any HostView) -> (findings: [Finding], isUnseen: Bool) {
        guard let text = try? machine.text(of: NameServiceRule.path),
            let line = NameServiceRule.databases(of: text)["sudoers"]
        else { return ([], false) }
        let place = "\(NameServiceRule.path):\(line.number)"
        let sources = line.words.filter { !$0.hasPrefix("[") }
        guard sources.contains("files") else { return ([withoutFiles(place)], false) }
        let others = sources.filter { $0 != "files" }
        guard !others.isEmpty else { return ([], false) }
        let program = SudoAnswer.programs.first { machine.exists($0) }
        let answer = program.map { machine.run($0, ["-n", "-l"]) }
        let lines = answer?.output.lines ?? []
        let heading = lines.prefix { !$0.contains(" may run the following commands") }
        let isUnseen = others != ["sss"] && heading.count == lines.count
        return ([evaluate(others.joined(separator: ", "), place, heading, isUnseen)], isUnseen)
    }

    private func withoutFiles(_ place: String) -> Finding {
        Finding(
            .sudoersSources,
            .error,
            "sudo does not read its files: administrators have no sudo",
            place: place,
            needed: "sudoers: files, and what else there is behind it",
            remedy: "write files first in that line"
        )
    }

    private func evaluate(_ others: String, _ place: String, _ heading: ArraySlice<Substring>, _ isUnseen: Bool)
        -> Finding
    {
        let words = heading.flatMap { $0.split { $0 == " " || $0 == "," || $0 == "=" } }
        if let found = SudoersSourcesRule.dangerous(words) {
            return Finding(
                .sudoersSources,
                .error,
                "sudo goes by \(found) for everybody: other rules for Entra accounts outlive the role",
                place: place,
                needed: "PAM's account stage of the service sudo, and no other group plugin",
                remedy: "take that out where it is set, in sudo's files or in \(others) (cn=defaults)"
            )
        }
        if isUnseen {
            return Finding(
                .sudoersSources,
                .warning,
                "sudo takes defaults from \(others), too, and cannot be asked for them here",
                place: place,
                remedy: "entraloginctl stack --stamp, as root and while \(others) can be reached"
            )
        }
        return Finding(
            .sudoersSources,
            .note,
            "sudo takes rules and defaults from \(others), too, whose options for single rules cannot be looked at from here",
            place: place
        )
    }

    /// `pam_service=sudo` is not dangerous.
    private static func dangerous(_ words: [Substring]) -> String? {
        for (index, word) in words.enumerated() {
            guard SudoersFilesRule.passingOver.contains(String(word)) || word == "group_plugin" else { continue }
            let value = index + 1 < words.count ? words[index + 1] : ""
            let usual = PAMServices.stepUp + [SudoersFilesRule.pluginPath]
            if word.hasPrefix("!") || !usual.contains(String(value)) { return String(word) }
        }
        return nil
    }
}
