// SPDX-License-Identifier: Apache-2.0

/// Judges whether sudo takes our file: that it reads the folder, and that what it reads has no mistake. That the file is
/// there and is root's, `LocalAccountsRule` says.
struct SudoRule: Sendable {
    private static let main = "/etc/sudoers"
    private static let checkers = ["/usr/sbin/visudo", "/usr/bin/visudo"]

    func judge(_ machine: any MachineView) -> [Finding] {
        guard machine.exists(LocalAccountsRule.sudoers), let text = try? machine.text(of: SudoRule.main) else {
            return []
        }
        return [folder(text), mistake(machine)].compactMap(\.self)
    }

    /// `@includedir`, in older sudoers `#includedir` (sudoers(5)).
    private func folder(_ text: String) -> Finding? {
        let isRead = text.lines.contains { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            return words.count >= 2 && (words[0] == "@includedir" || words[0] == "#includedir")
                && words[1].filter { $0 != "\"" }.hasPrefix("/etc/sudoers.d")
        }
        guard !isRead else { return nil }
        return Finding(
            "sudoers.folder",
            .warning,
            "sudo does not read /etc/sudoers.d: administrators have no sudo",
            place: SudoRule.main,
            needed: "@includedir /etc/sudoers.d",
            remedy: "visudo, and add that as the last line"
        )
    }

    private func mistake(_ machine: any MachineView) -> Finding? {
        guard let program = SudoRule.checkers.first(where: { machine.exists($0) }) else { return nil }
        let result = machine.run(program, ["-c"])
        guard let status = result.status, status != 0 else { return nil }
        let line = (result.complaint + "\n" + result.output).lines.first { !$0.isEmpty } ?? "no reason given"
        return Finding(
            "sudoers.syntax",
            .warning,
            "sudo finds a mistake in its files: \(line)",
            remedy: "\(program) -c shows it; visudo mends it"
        )
    }
}
