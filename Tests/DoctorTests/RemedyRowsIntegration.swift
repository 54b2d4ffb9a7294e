// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Rows of `RemedyTests`: the rest of the integration.
extension RemedyTests {
    static let integrationRows: [Row] = sshdRows + moduleRows + mappingRows

    private static let sshdRows: [Row] = [
        Row(
            "integration",
            .error,
            "entraloginctl setup --apply does it",
            { machine in
                machine.texts["/etc/ssh/sshd_config.d/00-entralogin.conf"] = nil
                machine.texts[names] = "passwd: files\ngroup: files\n"
                machine.texts["/etc/pam.d/common-account"] = "account required pam_unix.so\n"
                machine.texts["/etc/pam.d/common-session"] = "session required pam_unix.so\n"
            },
            { $0.machine = WiredMachine() }
        ),
        Row(
            "sshd",
            .error,
            "/usr/sbin/sshd -t shows it",
            { $0.result = ProgramResult(status: 255, complaint: "line 7: Bad configuration option: Colour\n") },
            { $0.result = nil }
        ),
        Row(
            "sshd",
            .error,
            "install openssh-server",
            { machine in
                machine.texts["/usr/sbin/sshd"] = nil
                machine.statuses["/usr/sbin/sshd"] = nil
            },
            { $0.machine = WiredMachine() }
        ),
        Row(
            "sshd.domains",
            .error,
            "configure --enable",
            { machine in
                let store = enrolled.replacing("alice@contoso.com", with: "alice@fabrikam.com")
                machine.texts["/var/lib/entralogin/accounts"] = store
                machine.uncovered = ["fabrikam.com"]
            },
            { $0.uncovered = [] }
        ),
        Row(
            "sshd.running",
            .error,
            "systemctl reload ssh",
            { machine in
                machine.texts["/run/sshd.pid"] = "812\n"
                machine.statuses["/run/sshd.pid"] = FileStatus(kind: .file, modified: 100)
                machine.running = [812]
                machine.statuses["/etc/ssh/sshd_config"] = FileStatus(kind: .file, changed: 101)
            },
            { $0.statuses["/run/sshd.pid"] = FileStatus(kind: .file, modified: 102) }
        ),
        Row(
            "sshd.forcecommand",
            .warning,
            "take ForceCommand out",
            { $0.configuration.replace("forcecommand none", with: "forcecommand /bin/false") },
            { $0.configuration.replace("forcecommand /bin/false", with: "forcecommand none") }
        ),
        Row(
            "openssh",
            .warning,
            "upgrade OpenSSH to 7.8 or newer",
            {
                $0.programs["/usr/sbin/sshd -V"] = ProgramResult(
                    status: 1,
                    complaint: "OpenSSH_7.4p1, OpenSSL 1.0.2k\n"
                )
            },
            { $0.programs["/usr/sbin/sshd -V"] = ProgramResult(status: 1, complaint: "OpenSSH_7.8p1, OpenSSL 1.1.1\n") }
        ),
    ]

    private static let probe = PAMTransaction.program
    private static let policy = "/var/lib/selinux/default/active/modules/400/entralogin/cil"

    private static let moduleRows: [Row] = [
        Row(
            "pam.sshd.libpam",
            .error,
            "make install PAMDIR=/usr/lib64/security, or a package for this distribution",
            { machine in
                let said = "mark none\nresult 10\nmodule /usr/lib64/security/pam_unix.so\n"
                machine.programs["\(probe) sshd"] = ProgramResult(status: 0, output: said)
            },
            { machine in
                let modules = ["unix", "entralogin"].map { "module /usr/lib64/security/pam_\($0).so\n" }
                let said = "mark reached\nresult 10\n" + modules.joined()
                machine.programs["\(probe) sshd"] = ProgramResult(status: 0, output: said)
                machine.texts["/usr/lib64/security/pam_entralogin.so"] = ""
            }
        ),
        file("module.nss", .error, "install the package again", "\(library).2", nil, ""),
        Row(
            "module.nss",
            .error,
            "chown root:root and chmod go-w what is named",
            { $0.statuses["\(library).2"] = FileStatus(kind: .file, owner: 1000) },
            { $0.statuses["\(library).2"] = FileStatus(kind: .file) }
        ),
        Row(
            "pam-probe",
            .error,
            "chmod 0755 \(probe)",
            { $0.statuses[probe] = FileStatus(kind: .file, mode: 0o644) },
            { $0.statuses[probe] = FileStatus(kind: .file, mode: 0o755) }
        ),
        Row(
            "selinux",
            .warning,
            "install entralogin-selinux",
            { $0.texts["/sys/fs/selinux/enforce"] = "1" },
            { $0.texts[policy] = "" }
        ),
    ]
    private static let library = "/usr/lib/x86_64-linux-gnu/libnss_entralogin.so"

    private static let bob = "bob@contoso.com:!*adopted:1001:1001:Bob:/home/bob:/bin/bash"
    private static let list = "entralogin-adopted 1\nbob@contoso.com:0b1ec700-0000-4000-8000-00000000beef:1001\n"

    /// Bob's account is mapped: it keeps its old uid. One of the two files disagrees until the remedy is done.
    private static func mapped(_ id: String, _ remedy: String, list wrongList: String?, line wrongLine: String) -> Row {
        Row(
            id,
            .warning,
            remedy,
            { machine in
                machine.texts["/etc/entralogin/adopted"] = wrongList
                machine.texts["/etc/passwd"]? += "\n\(wrongLine)\n"
            },
            { machine in
                machine.texts["/etc/entralogin/adopted"] = list
                machine.texts["/etc/passwd"] = "\(WiredMachine().texts["/etc/passwd"] ?? "")\n\(bob)\n"
            }
        )
    }

    private static let mappingRows: [Row] = [
        mapped("adopted.list", "one line for each account, name:object-id:uid", list: "bob@contoso.com\n", line: bob),
        mapped(
            "adopted.stray",
            "fix the file that is wrong",
            list: list,
            line: bob.replacing("1001:1001", with: "1002:1002")
        ),
        mapped("adopted.unlisted", "put it back", list: nil, line: bob),
    ]
}
