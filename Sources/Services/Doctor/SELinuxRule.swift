// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates whether an enforcing SELinux knows entralogin's programs: without entralogin's policy module sshd may
/// neither run the certificate check nor reach the daemon's sockets, and no Entra account can sign in. It is a warning,
/// not an error: the missing policy lets no user in.
struct SELinuxRule: Sendable {
    /// selinux(8): 1 while it is enforcing; the file is missing without SELinux.
    private static let enforce = "/sys/fs/selinux/enforce"
    /// semodule(8) keeps a folder for each module, below its priority.
    private static let modules = "/var/lib/selinux/*/active/modules/*/entralogin"

    func evaluate(_ machine: any HostView) -> [Finding] {
        guard let text = try? machine.text(of: SELinuxRule.enforce) else { return [] }
        guard text.hasPrefix("1") else {
            return [Finding(.selinux, .note, "SELinux is permissive: it logs what it would refuse")]
        }
        guard machine.paths(matching: SELinuxRule.modules).isEmpty else {
            return [Finding(.selinux, .good, "SELinux is enforcing and has entralogin's policy module")]
        }
        return [
            Finding(
                .selinux,
                .warning,
                "SELinux is enforcing and has no policy module of entralogin's: sshd cannot run its programs",
                needed: "the module entralogin (semodule -l)",
                remedy: "install entralogin-selinux; ausearch -m avc -c sshd -ts recent shows what was refused"
            )
        ]
    }
}
