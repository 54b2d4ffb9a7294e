// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// More rows of `RemedyTests`: about the integration, sudo and the rest of the machine.
extension RemedyTests {
    private static let module = "/usr/lib/x86_64-linux-gnu/security/pam_entralogin.so"
    static let names = "/etc/nsswitch.conf"
    static let sudoers = "/etc/sudoers.d/zz"
    private static let includesFolder = "@includedir /etc/sudoers.d\n"

    /// A file with the text `wrong`, which the remedy makes `right`; nil: there is no file.
    static func file(
        _ id: String,
        _ severity: Severity,
        _ remedy: String,
        _ path: String,
        _ wrong: String?,
        _ right: String?
    ) -> Row {
        Row(id, severity, remedy, { $0.texts[path] = wrong }, { $0.texts[path] = right })
    }

    /// A line after the file's text, which the remedy removes.
    static func line(_ id: String, _ severity: Severity, _ remedy: String, _ path: String, _ line: String)
        -> Row
    {
        let before = WiredMachine().texts[path]
        return file(id, severity, remedy, path, "\(before ?? "")\n\(line)\n", before)
    }

    /// On a machine whose /etc/sudoers includes /etc/sudoers.d.
    static func sudo(
        _ id: String,
        _ severity: Severity,
        _ remedy: String,
        _ spoil: @escaping @Sendable (inout SetUpMachine) -> Void,
        _ repair: @escaping @Sendable (inout SetUpMachine) -> Void
    ) -> Row {
        Row(
            id,
            severity,
            remedy,
            { machine in
                machine.texts["/etc/sudoers"] = includesFolder
                spoil(&machine)
            },
            repair
        )
    }

    static let moreRows: [Row] = integration + sudo + around

    private static let integration: [Row] = [
        Row(
            "sshd.usepam",
            .error,
            "UsePAM yes in /etc/ssh/sshd_config",
            { $0.configuration = $0.configuration.replacing("usepam yes", with: "usepam no") },
            { $0.configuration = $0.configuration.replacing("usepam no", with: "usepam yes") }
        ),
        file("nss.group", .error, "write the word there", names, "passwd: files entralogin\ngroup: files\n", both),
        file(
            "neighbour.passwd",
            .warning,
            "write entralogin last",
            names,
            "passwd: files entralogin winbind\ngroup: files entralogin\n",
            "passwd: files winbind entralogin\ngroup: files entralogin\n"
        ),
        file(
            "pam.sshd.session",
            .error,
            "configure --enable",
            "/etc/pam.d/common-session",
            "session required pam_unix.so\n",
            Debian12.commonSession
        ),
        file(
            "pam.sudo.account",
            .error,
            "configure --enable",
            "/etc/pam.d/sudo",
            "account required pam_unix.so\n",
            Debian12.sudo
        ),
        file("module.pam", .error, "install the package again", module, nil, ""),
        Row(
            "module.pam",
            .error,
            "chmod go-w what is named",
            { $0.statuses[module] = FileStatus(kind: .file, mode: 0o666) },
            { $0.statuses[module] = FileStatus(kind: .file, mode: 0o644) }
        ),
        Row(
            "helper",
            .error,
            "chmod 0755 \(SSHDRule.helper)",
            { $0.statuses[SSHDRule.helper] = FileStatus(kind: .file, mode: 0o644) },
            { $0.statuses[SSHDRule.helper] = FileStatus(kind: .file, mode: 0o755) }
        ),
        file(
            "user.entralogin",
            .error,
            "configure --enable",
            "/etc/passwd",
            "root:x:0:0::/:/bin/sh\n",
            WiredMachine().texts["/etc/passwd"]
        ),
    ]
    private static let both = "passwd: files entralogin\ngroup: files entralogin\n"

    private static let sudo: [Row] = [
        sudo(
            "sudoers.folder",
            .warning,
            "add that as the last line",
            { $0.texts["/etc/sudoers"] = "root ALL=ALL\n" },
            { $0.texts["/etc/sudoers"] = "root ALL=ALL\n\(includesFolder)" }
        ),
        sudo(
            "sudoers.folder",
            .warning,
            "chmod go-w /etc/sudoers.d",
            { $0.statuses["/etc/sudoers.d"] = FileStatus(kind: .folder, mode: 0o777) },
            { $0.statuses["/etc/sudoers.d"] = FileStatus(kind: .folder, mode: 0o755) }
        ),
        sudo(
            "sudoers.syntax",
            .warning,
            "fix it with visudo",
            { machine in
                machine.texts["/usr/sbin/visudo"] = ""
                machine.programs["/usr/sbin/visudo -c"] = ProgramResult(status: 1, complaint: "zz:1:3: syntax error\n")
            },
            { $0.programs["/usr/sbin/visudo -c"] = ProgramResult(status: 0) }
        ),
        sudo(
            "sudoers.account-stage",
            .error,
            "visudo, and take that out",
            { $0.texts[sudoers] = "Defaults !pam_acct_mgmt\n" },
            { $0.texts[sudoers] = nil }
        ),
        sudo(
            "sudoers.group-plugin",
            .error,
            "move that line before",
            { $0.texts[sudoers] = "Defaults group_plugin=system_group.so\n" },
            { machine in
                machine.texts[sudoers] = nil
                machine.texts["/etc/sudoers"] = "Defaults group_plugin=system_group.so\n\(includesFolder)"
            }
        ),
        sudo(
            "sudoers.by-group",
            .warning,
            LocalAccountsRule.members,
            { $0.texts[sudoers] = "%entra_admins ALL=(ALL) ALL\n" },
            { $0.texts[sudoers] = "\(LocalAccountsRule.members) ALL=(ALL) ALL\n" }
        ),
        sudo(
            "sudoers.by-group",
            .warning,
            "write that in its place",
            { $0.texts[sudoers] = "%developers_entra ALL=(ALL) ALL\n" },
            { $0.texts[sudoers] = "\"%:entralogin:developers_entra\" ALL=(ALL) ALL\n" }
        ),
        sudo(
            "module.sudo",
            .warning,
            "install the package again",
            { $0.texts[LocalAccountsRule.sudoers]? += "Defaults group_plugin=\(SudoersFilesRule.pluginPath)\n" },
            { $0.texts[SudoersFilesRule.pluginPath] = "" }
        ),
        Row(
            "sudo.program",
            .warning,
            "chmod 4755 /usr/bin/sudo",
            { $0.statuses["/usr/bin/sudo"] = FileStatus(kind: .file, mode: 0o755) },
            { $0.statuses["/usr/bin/sudo"] = FileStatus(kind: .file, mode: 0o4755) }
        ),
        sudo(
            "recording.sudo",
            .warning,
            "take the line out",
            { $0.texts[sudoers] = "Defaults:%entra_users log_output\nDefaults !log_output\n" },
            { $0.texts[sudoers] = "Defaults:%entra_users log_output\n" }
        ),
    ]

    private static let around: [Row] = [
        line("ids.user", .warning, "usermod gives it another number", "/etc/passwd", "old:x:1879049216:100::/:/bin/sh"),
        line("ids.subordinate", .warning, "--del-subuids", "/etc/subuid", "lisa:1879000000:65536"),
        line("ids.defaults", .warning, "lower it", "/etc/login.defs", "UID_MAX 4000000000"),
        line(
            "names.user",
            .warning,
            "userdel bob@contoso.com",
            "/etc/passwd",
            "bob@contoso.com:x:1001:1001::/:/bin/sh"
        ),
        line("names.group", .warning, "groupdel bob@contoso.com", "/etc/group", "bob@contoso.com:x:1001:"),
        line("old-extension", .warning, "take out the lines", "/etc/pam.d/common-auth", "auth sufficient pam_aad.so"),
        line("pam.others.sudo", .warning, "take that line out", "/etc/pam.d/sudo", "account required pam_deny.so"),
        line("limits", .error, "write a larger number there", "/etc/security/limits.conf", "* hard nproc 0"),
        file(
            "namespace.ids",
            .error,
            "map these ids, too",
            "/proc/self/uid_map",
            "0 100000 65536\n",
            "0 0 4294967295\n"
        ),
        file(
            "proc.hidden",
            .warning,
            "hidepid=0 /proc",
            "/proc/self/mountinfo",
            "22 28 0:21 / /proc rw,nosuid shared:14 - proc proc rw,hidepid=2\n",
            "22 28 0:21 / /proc rw,nosuid shared:14 - proc proc rw,hidepid=0\n"
        ),
        Row(
            "nscd.passwd",
            .error,
            "write that into /etc/nscd.conf",
            { machine in
                machine.statuses[NameCacheRule.socket] = FileStatus(kind: .other, mode: 0o666)
                machine.texts[NameCacheRule.path] = "enable-cache passwd yes\n"
            },
            { $0.texts[NameCacheRule.path] = "enable-cache passwd no\n" }
        ),
        Row(
            "files.names",
            .error,
            "chmod a+r \(names)",
            { $0.statuses[names] = FileStatus(kind: .file, mode: 0o600) },
            { $0.statuses[names] = FileStatus(kind: .file, mode: 0o644) }
        ),
        Row(
            "disk",
            .error,
            "df -h /var/lib/entralogin",
            { $0.spaces["/var/lib/entralogin"] = FileSpace(freeBytes: 9, freeFiles: 9, totalFiles: 99) },
            {
                $0.spaces["/var/lib/entralogin"] = FileSpace(
                    freeBytes: 1 << 30,
                    freeFiles: 1 << 20,
                    totalFiles: 1 << 20
                )
            }
        ),
        Row(
            "sshd.requiredrsasize",
            .error,
            "look for requiredrsasize",
            { $0.configuration = $0.configuration.replacing("requiredrsasize 1024", with: "requiredrsasize 3072") },
            { $0.configuration = $0.configuration.replacing("requiredrsasize 3072", with: "requiredrsasize 1024") }
        ),
        .sshd("sshd.pubkeyacceptedalgorithms", .error, "pubkeyacceptedalgorithms ssh-ed25519", "crypto policy", ""),
    ]
}
