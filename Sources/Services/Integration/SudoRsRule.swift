// SPDX-License-Identifier: Apache-2.0

/// Evaluates what differs if `sudo` is sudo-rs, which loads no plugin: whether entralogin's file is for the sudo that
/// is installed, whether the group in it is entralogin's, and which commands do not ask PAM's account stage.
package struct SudoRsRule: Sendable {
    /// The first version that was seen to ask the account stage about `sudo -l` and `sudoedit` (Documentation/sudo.md).
    private static let asksAlways = [0, 2, 15]
    private static let rule = "%#1879048193 "
    private static let remedy = "/usr/libexec/entralogin/configure --enable"

    func evaluate(_ machine: any HostView) -> [Finding] {
        guard let text = try? machine.text(of: LocalAccountsRule.sudoers) else { return [] }
        let isOurPlugin = text.contains(SudoersFilesRule.pluginPath)
        let rules = text.lines.filter { $0.hasPrefix("%") }
        guard let version = SudoRsRule.version(machine) else {
            // With sudo instead of sudo-rs, such a rule would go by the groups of the process.
            let isForSudoRs = !isOurPlugin && rules.contains { $0.hasPrefix(SudoRsRule.rule) }
            return isForSudoRs ? [otherSudo("the file is for sudo-rs, and sudo goes by the groups of the process")] : []
        }
        guard !isOurPlugin else {
            return [otherSudo("the file is for sudo, and this is sudo-rs: administrators have no sudo")]
        }
        return [foreignGroup(rules, machine), coverage(version)].compactMap(\.self)
    }

    private func otherSudo(_ found: String) -> Finding {
        Finding(.sudoRsFile, .error, found, place: LocalAccountsRule.sudoers, remedy: SudoRsRule.remedy)
    }

    /// A rule by name gives the right to the members of whichever group the name service finds under that name.
    private func foreignGroup(_ rules: [Substring], _ machine: any HostView) -> Finding? {
        guard let rule = rules.first(where: { !$0.hasPrefix(SudoRsRule.rule) }) else { return nil }
        let group = String(rule.dropFirst().prefix { $0 != " " && $0 != "\t" })
        let programs = ["/usr/bin/getent", "/bin/getent"]
        guard let program = programs.first(where: { machine.exists($0) }) else { return nil }
        let answer = machine.run(program, ["group", group])
        guard answer.status == 0, let line = answer.output.lines.first(where: { !$0.isEmpty }) else { return nil }
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count >= 3, fields[2] != "1879048193" else { return nil }
        return Finding(
            .sudoRsGroup,
            .error,
            "the group \(group) is another name service's, and this sudo-rs knows groups by name only: administrators have no sudo, "
                + "and that service's members are refused",
            place: LocalAccountsRule.sudoers,
            remedy: "\(SudoRsRule.remedy) takes the rule away; name another group in AdministratorsGroup="
        )
    }

    private func coverage(_ version: String) -> Finding {
        let numbers = version.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
        let steps = "sudo is sudo-rs \(version): step-up in sudo is off"
        guard numbers.lexicographicallyPrecedes(SudoRsRule.asksAlways) else { return Finding(.sudoRs, .note, steps) }
        return Finding(
            .sudoRs,
            .warning,
            "\(steps), and it may not ask PAM's account stage about sudo -l and sudoedit: there a role ends with the membership",
            needed: "sudo-rs 0.2.15 or newer",
            remedy: "upgrade sudo-rs, or use sudo"
        )
    }

    /// Nil for another sudo. sudo-rs 0.2.5 writes its version to standard error.
    package static func version(_ machine: any HostView) -> String? {
        guard let program = SudoAnswer.programs.first(where: { machine.exists($0) }) else { return nil }
        let result = machine.run(program, ["--version"])
        let line = (result.output + result.complaint).lines.first { $0.hasPrefix("sudo-rs ") }
        return line.flatMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
    }
}
