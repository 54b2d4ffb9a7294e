// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Doctor's findings and their remedies: each row breaks one thing of a machine that is set up, does what the remedy
/// says, and expects that the finding is gone.
struct RemedyTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let id: String
        let severity: Severity
        /// Words of the remedy's text; `repair` carries it out.
        let remedy: String
        let spoil: @Sendable (inout SetUpMachine) -> Void
        let repair: @Sendable (inout SetUpMachine) -> Void

        var testDescription: String { "\(id): \(remedy)" }

        init(
            _ id: String,
            _ severity: Severity,
            _ remedy: String,
            _ spoil: @escaping @Sendable (inout SetUpMachine) -> Void,
            _ repair: @escaping @Sendable (inout SetUpMachine) -> Void
        ) {
            self.id = id
            self.severity = severity
            self.remedy = remedy
            self.spoil = spoil
            self.repair = repair
        }

        /// Adds `line` to sshd's configuration; the remedy replaces it with `instead`.
        static func sshd(_ id: String, _ severity: Severity, _ line: String, _ remedy: String, _ instead: String) -> Row
        {
            Row(
                id,
                severity,
                remedy,
                { $0.configuration += "\n\(line)" },
                { $0.configuration = $0.configuration.replacing("\n\(line)", with: instead) }
            )
        }

        static func mode(_ id: String, _ severity: Severity, _ path: String, _ status: FileStatus, _ remedy: String)
            -> Row
        {
            Row(
                id,
                severity,
                remedy,
                { $0.statuses[path] = status },
                { $0.statuses[path] = FileStatus(kind: status.kind, mode: 0o755) }
            )
        }
    }

    static let enrolled =
        "account alice@contoso.com uid=1999259362 tenant=t object=o enrolled=1 retired=- home=/home/a shell=/bin/bash"
        + " former=- gecos=\n"
    static let sshdFile = "/etc/ssh/sshd_config.d/50-site.conf"

    static let allRows = rows + moreRows + integrationRows + sudoRows + aroundRows + accountRows + subordinateRows

    static let rows: [Row] = [
        .sshd(
            "sshd.allowgroups",
            .error,
            "allowgroups sudo",
            "AllowGroups … entra_users",
            "\nallowgroups sudo entra_users"
        ),
        .sshd("sshd.allowusers", .error, "allowusers root", "*?contoso.com", "\nallowusers root *?contoso.com"),
        .sshd(
            "sshd.allowusers",
            .error,
            "allowusers alice@contoso.com",
            "alice?contoso.com",
            "\nallowusers alice?contoso.com"
        ),
        .sshd("sshd.denyusers", .error, "denyusers *", "take that pattern out", ""),
        .sshd("sshd.denyusers", .warning, "denyusers a@b.com", "write a?b.com there", "\ndenyusers a?b.com"),
        .sshd("sshd.denygroups", .error, "denygroups entra_users", "take it out", ""),
        Row(
            "sshd.maxsessions",
            .error,
            "MaxSessions 10",
            { $0.configuration = $0.configuration.replacing("maxsessions 10\n", with: "maxsessions 0\n") },
            { $0.configuration = $0.configuration.replacing("maxsessions 0\n", with: "maxsessions 10\n") }
        ),
        Row(
            "sshd.revokedkeys",
            .error,
            "RevokedKeys none",
            { $0.configuration = $0.configuration.replacing("revokedkeys none\n", with: "revokedkeys /gone\n") },
            { $0.configuration = $0.configuration.replacing("revokedkeys /gone\n", with: "revokedkeys none\n") }
        ),
        .sshd("sshd.casignaturealgorithms", .error, "casignaturealgorithms ssh-ed25519", "look for casignature", ""),
        .mode("homes", .error, "/home", FileStatus(kind: .folder, mode: 0o777), "chmod go-w /home"),
        .mode("homes", .error, "/home", FileStatus(kind: .folder, owner: 5, mode: 0o755), "chown root /home"),
        .mode(
            "files.configuration",
            .warning,
            "/etc/pam.d",
            FileStatus(kind: .folder, mode: 0o777),
            "chmod go-w /etc/pam.d"
        ),
        .mode(
            "files.configuration",
            .warning,
            "/etc/ssh",
            FileStatus(kind: .folder, owner: 7, mode: 0o755),
            "chown root /etc/ssh"
        ),
        .mode("settings.shell", .error, "/bin/bash", FileStatus(kind: .file, mode: 0o644), "install it"),
        Row(
            "homes",
            .warning,
            "mkdir -m 0755 -p /home",
            { $0.statuses["/home"] = nil },
            { $0.statuses["/home"] = FileStatus(kind: .folder, mode: 0o755) }
        ),
        Row(
            "homes",
            .warning,
            "make room there: df -h /home",
            { $0.spaces["/home"] = FileSpace(freeBytes: 9, freeFiles: 9, totalFiles: 99) },
            { $0.spaces["/home"] = FileSpace(freeBytes: 1 << 30, freeFiles: 1 << 20, totalFiles: 1 << 20) }
        ),
        Row(
            "homes",
            .warning,
            "mount -o remount,rw",
            { $0.spaces["/home"] = FileSpace(freeBytes: 1 << 30, freeFiles: 0, totalFiles: 0, isReadOnly: true) },
            { $0.spaces["/home"] = FileSpace(freeBytes: 1 << 30, freeFiles: 0, totalFiles: 0) }
        ),
        Row(
            "nologin",
            .error,
            "rm /etc/nologin",
            { $0.texts["/etc/nologin"] = "" },
            { $0.texts["/etc/nologin"] = nil }
        ),
        Row(
            "accounts.home",
            .error,
            "chown -R 1999259362:1999259362 /home/a",
            { machine in
                machine.texts["/var/lib/entralogin/accounts"] = enrolled
                machine.statuses["/home/a"] = FileStatus(kind: .folder, owner: 0, mode: 0o700)
            },
            { $0.statuses["/home/a"] = FileStatus(kind: .folder, owner: 1_999_259_362, mode: 0o700) }
        ),
        Row(
            "accounts.lists",
            .warning,
            "take that pattern out there",
            { machine in
                machine.texts["/var/lib/entralogin/accounts"] = enrolled
                machine.configuration += "\ndenyusers alice?contoso.com"
            },
            { $0.configuration = $0.configuration.replacing("\ndenyusers alice?contoso.com", with: "") }
        ),
        Row(
            "accounts.shell",
            .error,
            "users set-shell alice@contoso.com",
            { $0.texts["/var/lib/entralogin/accounts"] = enrolled.replacing("/bin/bash", with: "/bin/zsh") },
            { $0.texts["/var/lib/entralogin/accounts"] = enrolled }
        ),
        Row(
            "sshd.match-administrators",
            .warning,
            "for all Entra users",
            { $0.texts[sshdFile] = "Match Group entra_admins\nForceCommand /bin/rec\n" },
            { $0.texts[sshdFile] = "Match Group entra_users\nForceCommand /bin/rec\n" }
        ),
        Row(
            "pam.access",
            .warning,
            "write (bob@contoso.com) there",
            { machine in
                machine.texts["/etc/pam.d/sshd"] = "account required pam_access.so\n\(Debian12.sshd)"
                machine.texts["/etc/security/access.conf"] = "-:bob@contoso.com:ALL\n"
            },
            { $0.texts["/etc/security/access.conf"] = "-:(bob@contoso.com):ALL\n" }
        ),
        Row(
            "nss.passwd",
            .error,
            "write the word there",
            { $0.texts["/etc/nsswitch.conf"] = "passwd: files\ngroup: files entralogin\n" },
            { $0.texts["/etc/nsswitch.conf"] = "passwd: files entralogin\ngroup: files entralogin\n" }
        ),
        Row(
            "pam.sshd.account",
            .error,
            "configure --enable",
            { $0.texts["/etc/pam.d/common-account"] = "account required pam_unix.so\n" },
            { $0.texts["/etc/pam.d/common-account"] = Debian12.commonAccount }
        ),
        Row(
            "sshd.files",
            .error,
            "configure --enable",
            { $0.texts["/etc/ssh/sshd_config.d/00-entralogin.conf"] = nil },
            { $0.texts["/etc/ssh/sshd_config.d/00-entralogin.conf"] = Debian12.block() }
        ),
    ]

    @Test(
        "P16: what breaks is found with its remedy; when that is done the finding is gone, and no other has come",
        arguments: allRows
    )
    func remedies(row: Row) throws {
        var machine = SetUpMachine()
        let before = Set(machine.findings.filter { $0.severity > .note }.map(\.id.text))
        row.spoil(&machine)
        let found = try #require(machine.findings.first { $0.id.text == row.id && $0.severity > .note }, "not found")
        #expect(found.severity == row.severity)
        #expect("\(found.needed) \(found.remedy)".contains(row.remedy), "\(found)")
        row.repair(&machine)
        #expect(Set(machine.findings.filter { $0.severity > .note }.map(\.id.text)) == before)
    }
}
