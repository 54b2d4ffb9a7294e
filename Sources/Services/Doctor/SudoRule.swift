// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates whether sudo uses entralogin's file: whether it reads the folder, and its files have no syntax error.
/// `LocalAccountsRule` checks that the file exists and is root's; `SudoersReview`, what other files and sources add.
struct SudoRule: Sendable {
    let review: SudoersReview
    private static let main = "/etc/sudoers"
    private static let parts = "/etc/sudoers.d"
    private static let checkers = ["/usr/sbin/visudo", "/usr/bin/visudo"]

    func evaluate(_ machine: any HostView) -> [Finding] {
        guard machine.exists(LocalAccountsRule.sudoers), let text = try? machine.text(of: SudoRule.main) else {
            return []
        }
        return [folder(text), closed(machine), mistake(machine), plugin(machine)].compactMap(\.self) + unread(machine)
            + review.findings
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
            .sudoersFolder,
            .warning,
            "sudo does not read /etc/sudoers.d: administrators have no sudo",
            place: SudoRule.main,
            needed: "@includedir /etc/sudoers.d",
            remedy: "visudo, and add that as the last line"
        )
    }

    /// sudo skips a folder that is not root's, or that others than root may write (sudoers(5), "Including other
    /// files").
    private func closed(_ machine: any HostView) -> Finding? {
        let path = "/etc/sudoers.d"
        guard let status = try? machine.status(of: path) else { return nil }
        let open = status.mode & (status.group == 0 ? 0o002 : 0o022)
        guard status.owner != 0 || open != 0 else { return nil }
        let why = status.owner != 0 ? "belongs to user \(status.owner)" : "has mode \(String(status.mode, radix: 8))"
        return Finding(
            .sudoersFolder,
            .warning,
            "sudo passes over \(path), which \(why): administrators have no sudo",
            place: path,
            needed: "owner root, and no other may write it",
            remedy: status.owner != 0 ? "chown root \(path)" : "chmod go-w \(path)"
        )
    }

    /// Files about Entra accounts, by their name or lines, that sudo skips because the name has a dot or ends in `~`.
    private func unread(_ machine: any HostView) -> [Finding] {
        machine.paths(matching: "\(SudoRule.parts)/*").compactMap { path in
            let name = path.dropFirst(SudoRule.parts.count + 1)
            guard name.contains(".") || name.hasSuffix("~"), let text = try? machine.text(of: path),
                name.contains("@") || text.lines.contains(where: { $0.dropFirst().contains("@") && !$0.hasPrefix("#") })
            else { return nil }
            let better = name.map { $0 == "." || $0 == "~" ? "_" : String($0) }.joined()
            return Finding(
                .sudoersName,
                .note,
                "sudo does not read \(path): a dot or a last ~ in the name keeps it from that",
                place: path,
                remedy: "if it is to count: mv \(path) \(SudoRule.parts)/\(better); visudo -c"
            )
        }
    }

    /// Applies if entralogin's file names the plugin: without it sudo does not know the administrators, and refuses
    /// them.
    private func plugin(_ machine: any HostView) -> Finding? {
        let path = SudoersFilesRule.pluginPath
        guard let sudoers = try? machine.text(of: LocalAccountsRule.sudoers), sudoers.contains(path) else { return nil }
        guard !machine.exists(path) || machine.complaintOnLoading(module: path) != nil else { return nil }
        return Finding(
            .moduleSudo,
            .warning,
            "sudo cannot load the plugin that knows the administrators: they have no sudo",
            place: path,
            remedy: "make install, or install the package again"
        )
    }

    private func mistake(_ machine: any HostView) -> Finding? {
        guard let program = SudoRule.checkers.first(where: { machine.exists($0) }) else { return nil }
        let result = machine.run(program, ["-c"])
        guard let status = result.status, status != 0 else { return nil }
        let line = (result.complaint + "\n" + result.output).lines.first { !$0.isEmpty } ?? "no reason given"
        return Finding(
            .sudoersSyntax,
            .warning,
            "sudo finds a mistake in its files: \(line)",
            remedy: "\(program) -c shows it; fix it with visudo"
        )
    }
}
