// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates sudo itself, if entralogin's sudoers file exists: whether it can become root, and whether its policy is
/// that of the sudoers files in spite of sudo.conf(5). sudo reports that when root asks for its version (sudo(8),
/// `-V`).
struct SudoProgramRule: Sendable {
    private static let files = ["/etc/sudoers", "/usr/etc/sudoers"]
    private static let configuration = "/etc/sudo.conf"

    func evaluate(_ machine: any HostView) -> [Finding] {
        guard machine.exists(LocalAccountsRule.sudoers) else { return [] }
        guard let program = SudoAnswer.programs.first(where: { machine.exists($0) }) else {
            let remedy = "install sudo again, then /usr/libexec/entralogin/configure --enable"
            return [finding("sudo is not installed any more", place: SudoAnswer.programs[0], remedy: remedy)]
        }
        return [rights(of: program, machine) ?? policy(of: program, machine)].compactMap(\.self)
    }

    private func rights(of program: String, _ machine: any HostView) -> Finding? {
        guard let status = try? machine.status(of: program) else { return nil }
        guard status.owner == 0 else {
            let remedy = "chown root \(program) && chmod 4755 \(program)"
            return finding("\(program) belongs to user \(status.owner)", place: program, remedy: remedy)
        }
        guard status.mode & 0o4001 != 0o4001 else { return nil }
        let mode = String(status.mode, radix: 8)
        let what = "\(program) has mode \(mode), with which it cannot become root for everybody who calls it"
        return finding(what, place: program, remedy: "chmod 4755 \(program)")
    }

    private func policy(of program: String, _ machine: any HostView) -> Finding? {
        let result = machine.run(program, ["--version"])
        let lines = result.output.lines
        // sudo-rs has no other policy.
        guard !(lines + result.complaint.lines).contains(where: { $0.hasPrefix("sudo-rs ") }) else { return nil }
        let remedy = "look at the lines with Plugin in \(SudoProgramRule.configuration): none is needed"
        guard let status = result.status, status == 0 else {
            let reason = result.complaint.lines.first { !$0.isEmpty }.map { ": \($0)" } ?? ""
            return finding("sudo does not start\(reason)", place: program, remedy: remedy)
        }
        guard lines.contains(where: { $0.hasPrefix("Sudoers policy plugin ") }) else {
            let what = "sudo goes by another plugin than that of the sudoers files"
            return finding(what, place: SudoProgramRule.configuration, remedy: remedy)
        }
        let key = "Sudoers path: "
        guard let path = lines.first(where: { $0.hasPrefix(key) })?.dropFirst(key.count),
            !path.split(separator: ":").contains(where: { SudoProgramRule.files.contains(String($0)) })
        else { return nil }
        return finding("sudo reads \(path)", place: SudoProgramRule.configuration, remedy: remedy)
    }

    private func finding(_ what: String, place: String, remedy: String) -> Finding {
        Finding(
            .sudoProgram,
            .warning,
            "\(what): administrators have no sudo",
            place: place,
            needed: "a sudo that goes by /etc/sudoers",
            remedy: remedy
        )
    }
}
