// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Rows of `RemedyTests`: the rest of the machine.
extension RemedyTests {
    private static let access = "/etc/security/access.conf"
    private static let onlyRoot = "-:ALL EXCEPT root:ALL\n"
    private static let key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB entralogin\n"

    static let aroundRows: [Row] = moduleStageRows + numberRows + serviceRows

    private static func turnedAway(_ id: String) -> Row {
        Row(
            id,
            .error,
            "a line above it: + : (entra_users) : ALL",
            { machine in
                machine.texts["/etc/pam.d/sshd"] = "account required pam_access.so\n\(Debian12.sshd)"
                machine.texts[access] = onlyRoot
            },
            { $0.texts[access] = "+ : (entra_users) : ALL\n\(onlyRoot)" }
        )
    }

    private static let moduleStageRows: [Row] = [
        turnedAway("pam"), turnedAway("pam.others"),
        .mode("shell", .error, "/bin/bash", FileStatus(kind: .file, mode: 0o644), "install it"),
        Row(
            "home",
            .error,
            "mv /home/a /home/a.old",
            { $0.statuses["/home/a"] = FileStatus(kind: .folder, owner: 1000, mode: 0o700) },
            { $0.statuses["/home/a"] = nil }
        ),
        Row(
            "keys.copy",
            .error,
            "systemctl restart entralogin-keys.service",
            { $0.texts[AuthorityCopy.source] = key },
            { $0.texts[AuthorityCopy.path] = key }
        ),
    ]

    private static let numberRows: [Row] = [
        line("ids.group", .warning, "groupmod gives it another number", "/etc/group", "old:x:1879049216:"),
        Row(
            "ids.directory",
            .warning,
            "IDRange=2000200000-2147352575",
            { machine in
                machine.texts[names] = "passwd: files sss entralogin\ngroup: files sss entralogin\n"
                machine.texts["/etc/sssd/sssd.conf"] = "[domain/corp]\nid_provider = ad\n"
                machine.programs["/usr/bin/getent -s"] = ProgramResult(status: 2)
            },
            { $0.numbers = 2_000_200_000...2_147_352_575 }
        ),
        Row(
            "ids.taken",
            .warning,
            "give lisa another number in its directory",
            { machine in
                machine.texts[names] = "passwd: files winbind entralogin\ngroup: files winbind entralogin\n"
                machine.texts["/var/lib/entralogin/accounts"] = enrolled
                let found = "lisa:*:1999259362:100::/home/lisa:/bin/sh\n"
                machine.programs["/usr/bin/getent -s"] = ProgramResult(status: 2, output: found)
            },
            { $0.programs["/usr/bin/getent -s"] = ProgramResult(status: 2) }
        ),
    ]

    /// The output of `systemctl show` if all units run except `unit`, which is in this state.
    private static func shown(_ unit: String, _ active: String, _ enabled: String) -> ProgramResult {
        let blocks = UnitsRule.units.map { name in
            let state = name == unit ? (active, enabled) : ("active", "enabled")
            return "Id=\(name)\nLoadState=loaded\nActiveState=\(state.0)\nUnitFileState=\(state.1)\n"
        }
        return ProgramResult(status: 0, output: blocks.joined(separator: "\n"))
    }

    private static func unit(
        _ severity: Severity,
        _ remedy: String,
        _ unit: String,
        _ active: String,
        _ enabled: String
    )
        -> Row
    {
        Row(
            "units.\(unit)",
            severity,
            remedy,
            { machine in
                machine.texts["/run/systemd/system/x"] = ""
                machine.texts["/usr/bin/systemctl"] = ""
                machine.programs["/usr/bin/systemctl show"] = shown(unit, active, enabled)
            },
            { $0.programs["/usr/bin/systemctl show"] = shown(unit, "active", "enabled") }
        )
    }

    private static let serviceRows: [Row] = [
        unit(
            .error,
            "systemctl enable --now entralogind-control.socket",
            "entralogind-control.socket",
            "inactive",
            "disabled"
        ),
        unit(.warning, "systemctl enable entralogin-keys.path", "entralogin-keys.path", "active", "disabled"),
    ]
}
