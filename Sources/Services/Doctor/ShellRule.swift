// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates a login shell as sshd does (auth.c, `allowed_user`): if it is not an executable plain file, sshd refuses
/// the user before it looks at any certificate. With nologin or false, a session ends at once.
struct ShellRule: Sendable {
    /// Why that shell allows no session; nil if it does.
    static func obstacle(_ shell: String, _ machine: any HostView) -> String? {
        guard let status = try? machine.status(of: shell) else { return "the shell \(shell) is not there" }
        guard status.kind == .file else { return "the shell \(shell) is no file" }
        if let name = shell.split(separator: "/").last, ["nologin", "false"].contains(name) {
            return "the shell \(shell) opens no session"
        }
        return status.mode & 0o111 == 0 ? "the shell \(shell) cannot be run" : nil
    }

    /// The shell of new accounts (`Shell=`), and where it is set.
    static func evaluate(_ shell: String, place: String?, _ machine: any HostView) -> Finding {
        guard let obstacle = obstacle(shell, machine) else {
            return Finding(.settingsShell, .good, "new accounts get the shell \(shell)", place: place)
        }
        return Finding(
            .settingsShell,
            .error,
            "nobody can sign in here for the first time: \(obstacle)",
            place: place,
            needed: "Shell= in [Accounts] names a program that is installed",
            remedy: "install it, or name another one there and systemctl restart entralogind"
        )
    }
}
