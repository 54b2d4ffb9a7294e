// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Rows of `RemedyTests`: settings, the accounts that they apply to, and recording by tlog.
extension RemedyTests {
    private static let store = "/var/lib/entralogin/accounts"
    private static let conf = "/etc/entralogin/entralogin.conf"
    private static let checkSettings = "/usr/sbin/entralogind --check-config"

    static let accountRows: [Row] = settingsRows + overridesRows + recordingRows

    private static let overridesRows: [Row] = [
        override(
            "overrides.shell",
            "name another one there",
            OverriddenAccounts(builders, .shell("/bin/none"), place: "\(conf):2"),
            OverriddenAccounts(builders, .shell("/bin/bash"), place: "\(conf):2")
        ),
        override(
            "overrides.home",
            "mv /etc/passwd /etc/passwd.old",
            OverriddenAccounts(builders, .home("/etc/passwd/%n"), place: "\(conf):2"),
            OverriddenAccounts(builders, .home("/home/%n"), place: "\(conf):2")
        ),
    ]
    private static let builders = AccountSelector.domain("contoso.com")

    private static func override(
        _ id: String,
        _ remedy: String,
        _ wrong: OverriddenAccounts,
        _ right: OverriddenAccounts
    ) -> Row {
        Row(id, .error, remedy, { $0.overrides = [wrong] }, { $0.overrides = [right] })
    }

    private static let settingsRows: [Row] = [
        Row(
            "accounts.domain",
            .error,
            "change Domains= in [Accounts]",
            { machine in
                machine.texts[store] = enrolled
                machine.domains = ["fabrikam.com"]
            },
            { $0.domains = ["contoso.com", "fabrikam.com"] }
        ),
        Row(
            "accounts.tenant",
            .error,
            "look at TenantID= in [Azure]",
            { machine in
                machine.texts[store] = enrolled
                machine.tenant = "another"
            },
            { $0.tenant = "t" }
        ),
        Row(
            "settings",
            .error,
            "chown root:entralogin and chmod 0640 the file",
            { machine in
                machine.texts["/usr/sbin/entralogind"] = ""
                machine.programs[checkSettings] = ProgramResult(status: 78, complaint: "\(conf): Permission denied\n")
            },
            { $0.programs[checkSettings] = ProgramResult(status: 0) }
        ),
        Row(
            "settings.secret",
            .warning,
            "chown root:entralogin \(conf) && chmod 0640 \(conf)",
            { machine in
                machine.secrets = ["\(conf):2"]
                machine.statuses[conf] = FileStatus(kind: .file, mode: 0o644)
            },
            { $0.statuses[conf] = FileStatus(kind: .file, group: 997, mode: 0o640) }
        ),
    ]

    private static let tlog = "/usr/bin/tlog-rec-session"
    private static let printed = """
        "shell":"\\/bin\\/bash",
        "writer":"journal",
        "output":true
        """

    /// A machine that records each session, with one thing wrong.
    private static func recording(
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
                machine.shell = tlog
                machine.statuses[tlog] = FileStatus(kind: .file, owner: 102, group: 104, mode: 0o6755)
                machine.statuses[TlogRule.locks] = FileStatus(kind: .folder, owner: 102, group: 104, mode: 0o755)
                machine.texts["/usr/bin/setpriv"] = ""
                machine.programs["/usr/bin/setpriv --reuid=65534"] = ProgramResult(status: 0, output: printed)
                spoil(&machine)
            },
            repair
        )
    }

    private static let recordingRows: [Row] = [
        recording(
            "recording.tlog",
            .error,
            "chmod 0644 it",
            {
                $0.programs["/usr/bin/setpriv --reuid=65534"] = ProgramResult(
                    status: 1,
                    complaint: "Permission denied\n"
                )
            },
            { $0.programs["/usr/bin/setpriv --reuid=65534"] = ProgramResult(status: 0, output: printed) }
        ),
        recording(
            "recording.tlog",
            .warning,
            "add there: 127.0.1.1 contoso-vm",
            { machine in
                machine.texts["/proc/sys/kernel/hostname"] = "contoso-vm\n"
                machine.texts["/usr/bin/getent"] = ""
                machine.programs["/usr/bin/getent ahosts"] = ProgramResult(status: 2)
            },
            {
                $0.programs["/usr/bin/getent ahosts"] = ProgramResult(
                    status: 0,
                    output: "127.0.1.1 STREAM contoso-vm\n"
                )
            }
        ),
        recording(
            "recording.tlog-locks",
            .warning,
            "dpkg-statoverride --force-statoverride-add --update --add _tlog _tlog 6755 \(tlog)",
            { $0.statuses[tlog] = FileStatus(kind: .file, mode: 0o755) },
            { $0.statuses[tlog] = FileStatus(kind: .file, owner: 102, group: 104, mode: 0o6755) }
        ),
        recording(
            "recording.tlog-locks",
            .warning,
            "systemd-tmpfiles --create",
            { $0.statuses[TlogRule.locks] = nil },
            { $0.statuses[TlogRule.locks] = FileStatus(kind: .folder, owner: 102, group: 104, mode: 0o755) }
        ),
        recording(
            "recording.accounts",
            .warning,
            "entraloginctl users set-shell alice@contoso.com \(tlog)",
            { $0.texts[store] = enrolled },
            { $0.texts[store] = enrolled.replacing("/bin/bash", with: tlog) }
        ),
    ]
}
