// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates settings of sshd that end every session, though they let no user in: no sessions at all, a chroot folder
/// without a shell, a list of revoked keys that cannot be read.
struct SSHDLimitsRule: Sendable {
    /// The login shell that sshd would start.
    let shell: String
    var lines: [ConfigurationLine] = []

    func evaluate(_ configuration: SSHDConfiguration, _ machine: any HostView) -> [Finding] {
        var findings: [Finding] = []
        if configuration.value(of: "maxsessions") == "0" {
            findings.append(
                error(
                    "maxsessions",
                    "is 0, so nobody gets a shell or runs a command",
                    "MaxSessions 10, or take the line out there"
                )
            )
        }
        if let file = configuration.value(of: "revokedkeys"), file != "none", !machine.exists(file) {
            let what = "names \(file), which is not there: sshd refuses every key"
            findings.append(error("revokedkeys", what, "put the list there, or RevokedKeys none"))
        }
        if let command = configuration.value(of: "forcecommand"), command != "none" {
            findings.append(
                Finding(
                    .sshd(keyword: "forcecommand"),
                    .warning,
                    "sshd runs '\(command)' for Entra accounts, whatever they ask for",
                    place: place(of: "forcecommand"),
                    remedy: "nothing, where that is meant; else take ForceCommand out, and reload sshd"
                )
            )
        }
        if let root = configuration.value(of: "chrootdirectory"), root != "none",
            let why = obstacle(root, configuration.value(of: "forcecommand"), machine)
        {
            findings.append(
                error(
                    "chrootdirectory",
                    "is '\(root)', \(why)",
                    "ChrootDirectory none, or /srv/sftp/%u with internal-sftp"
                )
            )
        }
        return findings
    }

    /// sshd accepts a chroot folder only if root alone may write every folder of its path (session.c, `safely_chroot`).
    private func obstacle(_ root: String, _ command: String?, _ machine: any HostView) -> String? {
        guard !root.contains("%h") else {
            return "a home that is its user's, which sshd does not take: every session ends"
        }
        guard !root.contains("%") else { return nil }
        for folder in HomeRule.folders(above: "\(root)/x") {
            guard let status = try? machine.status(of: folder), status.kind == .folder else {
                return "which is no folder: every session ends"
            }
            guard status.owner == 0, status.mode & 0o022 == 0 else {
                return "and others than root may write \(folder): every session ends"
            }
        }
        let runsInside = command?.hasPrefix("internal-sftp") ?? false
        guard !runsInside, !machine.exists("\(root)\(shell)") else { return nil }
        return "in which there is no \(shell): every session ends"
    }

    private func error(_ keyword: String, _ what: String, _ remedy: String) -> Finding {
        let place = place(of: keyword)
        let there = place == nil ? "in sshd's configuration" : "there"
        return Finding(
            .sshd(keyword: keyword),
            .error,
            "sshd: \(keyword) \(what)",
            place: place,
            remedy: "\(remedy), \(there); then reload sshd"
        )
    }

    private func place(of keyword: String) -> String? { lines.first { $0.keyword == keyword }?.place }
}
