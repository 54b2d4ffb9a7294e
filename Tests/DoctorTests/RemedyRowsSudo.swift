// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Rows of `RemedyTests`: the rest of sudo, and sign-in with a code.
extension RemedyTests {
    private static let rule = LocalAccountsRule.sudoers
    private static let configure = "/usr/libexec/entralogin/configure --enable"

    /// Makes sudo this version of sudo-rs, with `text` as entralogin's rule.
    private static func rust(_ machine: inout SetUpMachine, _ version: String, _ text: String) {
        machine.programs["/usr/bin/sudo --version"] = ProgramResult(status: 0, output: "sudo-rs \(version)\n")
        machine.texts[rule] = text
    }

    private static let byName = "%entra_admins ALL=(ALL:ALL) NOPASSWD: ALL\n"
    private static let byNumber = "%#1879048193 ALL=(ALL:ALL) NOPASSWD: ALL\n"
    private static let byPlugin =
        "Defaults:%#1879048192 group_plugin=\(SudoersFilesRule.pluginPath)\n"
        + "\(LocalAccountsRule.members) ALL=(ALL:ALL) NOPASSWD: ALL\n"

    static let sudoRows: [Row] = ruleRows + rustRows + codeRows

    private static let ruleRows: [Row] = [
        file("sudoers", .warning, configure, rule, nil, byName),
        Row(
            "sudoers",
            .warning,
            "chown root:root and chmod 0440 it",
            { $0.statuses[rule] = FileStatus(kind: .file, owner: 1000, mode: 0o440) },
            { $0.statuses[rule] = FileStatus(kind: .file, mode: 0o440) }
        ),
        sudo(
            "sudo.withheld",
            .warning,
            "visudo, and take that out",
            { $0.texts[sudoers] = "Defaults !pam_acct_mgmt\n" },
            { $0.texts[sudoers] = nil }
        ),
        sudo(
            "sudoers.sources",
            .error,
            "write files first in that line",
            { $0.texts[names]? += "sudoers: sss\n" },
            { $0.texts[names]?.replace("sudoers: sss", with: "sudoers: files sss") }
        ),
    ]

    private static let rustRows: [Row] = [
        sudo(
            "sudo-rs",
            .warning,
            "upgrade sudo-rs",
            { rust(&$0, "0.2.5", byNumber) },
            { rust(&$0, "0.2.15", byNumber) }
        ),
        sudo("sudo-rs.file", .error, configure, { rust(&$0, "0.2.15", byPlugin) }, { $0.texts[rule] = byNumber }),
        sudo(
            "sudo-rs.group",
            .error,
            "name another group in AdministratorsGroup=",
            { machine in
                rust(&machine, "0.2.15", byName)
                machine.texts["/usr/bin/getent"] = ""
                machine.programs["/usr/bin/getent group"] = ProgramResult(
                    status: 0,
                    output: "entra_admins:x:70002:lisa\n"
                )
                machine.programs["/usr/bin/getent -s"] = ProgramResult(status: 2)
            },
            { machine in
                machine.administratorsGroup = "linux_admins"
                machine.texts[rule] = "%linux_admins ALL=(ALL:ALL) NOPASSWD: ALL\n"
                machine.programs["/usr/bin/getent group"] = ProgramResult(
                    status: 0,
                    output: "linux_admins:*:1879048193:\n"
                )
            }
        ),
    ]

    /// A machine where a service offers a code, with one thing wrong.
    private static func code(
        _ id: String,
        _ severity: Severity,
        _ remedy: String,
        _ service: String,
        _ spoil: @escaping @Sendable (inout SetUpMachine) -> Void,
        _ repair: @escaping @Sendable (inout SetUpMachine) -> Void
    ) -> Row {
        Row(
            id,
            severity,
            remedy,
            { machine in
                machine.codeServices = [service]
                let stack = service == "sudo" ? Debian12.sudo : Debian12.sshd
                machine.texts["/etc/pam.d/\(service)"] = "\(DeviceSignInRule.line)\n\(stack)"
                machine.texts[rule] = byName.replacing("NOPASSWD", with: "PASSWD")
                spoil(&machine)
            },
            repair
        )
    }

    private static let codeRows: [Row] = [
        code(
            "pam.login.auth",
            .warning,
            "write the line in /etc/pam.d/login, before what asks for passwords",
            "login",
            { $0.texts["/etc/pam.d/login"] = Debian12.sshd },
            { $0.texts["/etc/pam.d/login"] = "\(DeviceSignInRule.line)\n\(Debian12.sshd)" }
        ),
        code(
            "pam.login.timeout",
            .warning,
            "LOGIN_TIMEOUT 300",
            "login",
            { $0.texts["/etc/login.defs"] = "LOGIN_TIMEOUT 60\n" },
            { $0.texts["/etc/login.defs"] = "LOGIN_TIMEOUT 300\n" }
        ),
        code(
            "pam.sudo.auth",
            .error,
            "write the line first in /etc/pam.d/sudo",
            "sudo",
            { $0.texts["/etc/pam.d/sudo"] = Debian12.sudo },
            { $0.texts["/etc/pam.d/sudo"] = "\(DeviceSignInRule.line)\n\(Debian12.sudo)" }
        ),
        code(
            "sudoers.step-up",
            .error,
            "entraloginctl setup --apply",
            "sudo",
            { $0.texts[rule] = byName },
            { $0.texts[rule]?.replace("NOPASSWD", with: "PASSWD") }
        ),
    ]
}
