// SPDX-License-Identifier: Apache-2.0

import Authorization
import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct PersonCheckTests {
    private static let uid: UInt32 = 1_999_259_362

    private func check(
        _ machine: WiredMachine,
        name: String = "alice@contoso.com",
        isEnrolled: Bool = true
    ) -> [Finding] {
        var machine = machine
        machine.programs["/usr/bin/id -Gn"] = ProgramResult(status: 0, output: "\(name) entra_users\n")
        let account = Explanation.Account(
            name: name,
            uid: PersonCheckTests.uid,
            home: "/home/\(name)",
            shell: "/bin/bash",
            isEnrolled: isEnrolled
        )
        return PersonCheck(on: machine, usersGroup: "entra_users").run(account)
    }

    /// The finding that is not good, which must be the only one.
    private func only(_ machine: WiredMachine, isEnrolled: Bool = true) throws -> Finding {
        let findings = check(machine, isEnrolled: isEnrolled).filter { $0.severity > .good }
        #expect(findings.count == 1, "\(findings)")
        return try #require(findings.first)
    }

    @Test("A machine that is set up lets an account pass, before and after its first sign-in")
    func good() {
        #expect(check(WiredMachine()).allSatisfy { $0.severity == .good })
        #expect(check(WiredMachine(), isEnrolled: false).allSatisfy { $0.severity == .good })
    }

    @Test(
        "P16: sshd's four lists turn one account away, with its reading of the @",
        arguments: [
            ("denyusers alice?contoso.com", Severity.error), ("denyusers alice@contoso.com", .good),
            ("allowusers alice?contoso.com\nallowusers lisa", .good), ("allowusers alice@contoso.com", .error),
            ("allowusers bob?contoso.com", .error), ("allowusers alice?contoso.com@10.0.0.0/8", .warning),
            ("allowusers *@10.0.0.0/8", .warning), ("denyusers *@10.0.0.0/8", .warning),
            ("allowgroups sudo", .error), ("allowgroups entra_users", .good), ("denygroups entra_*", .error),
            ("usedns yes\nallowusers alice@contoso.com", .error), ("requiredrsasize 3072", .error),
            ("maxsessions 0", .error), ("chrootdirectory %h", .error), ("revokedkeys /nonexistent", .error),
            ("chrootdirectory /home\nforcecommand internal-sftp", .warning), ("chrootdirectory /home", .error),
        ]
    )
    func lists(lines: String, severity: Severity) {
        var machine = WiredMachine()
        machine.configuration = lines
        #expect(check(machine).map(\.severity).max() == severity)
    }

    @Test("P16: a group of one's own is there from the second sign-in on; a line of /etc/group from the first")
    func groups() {
        var machine = WiredMachine()
        machine.configuration = "allowgroups alice@contoso.com"
        #expect(check(machine, isEnrolled: true).allSatisfy { $0.severity == .good })
        #expect(check(machine, isEnrolled: false).contains { $0.id.text == "sshd" && $0.severity == .error })
        machine.configuration = "allowgroups ops"
        machine.texts["/etc/group"] = "ops:x:2000:lisa,alice@contoso.com\n"
        #expect(check(machine, isEnrolled: false).allSatisfy { $0.severity == .good })
    }

    @Test("P16: a shell that is gone or cannot be run is a no")
    func shell() throws {
        var machine = WiredMachine()
        machine.statuses["/bin/bash"] = FileStatus(kind: .file, mode: 0o644)
        #expect(try only(machine).id.text == "shell")
        machine.statuses["/bin/bash"] = nil
        machine.statuses["/usr/sbin/nologin"] = FileStatus(kind: .file, mode: 0o755)
        #expect(ShellRule.obstacle("/usr/sbin/nologin", machine)?.contains("opens no session") == true)
        let finding = try only(machine)
        #expect(finding.severity == .error && finding.remedy.contains("users set-shell alice@contoso.com"))
    }

    @Test("P16: a home of another's, a link, a folder above it that others may write: no, with the command")
    func homes() throws {
        let path = "/home/alice@contoso.com"
        var machine = WiredMachine()
        machine.statuses[path] = FileStatus(kind: .folder, owner: PersonCheckTests.uid, mode: 0o700)
        #expect(check(machine).allSatisfy { $0.severity == .good })
        machine.statuses[path] = FileStatus(kind: .folder, owner: 0, mode: 0o700)
        #expect(try only(machine).remedy.contains("chown -R \(PersonCheckTests.uid):"))
        machine.statuses[path] = nil
        machine.links = [path]
        #expect(try only(machine).found.contains("is a link"))
        machine.links = []
        for mode: UInt32 in [0o777, 0o1777, 0o775] {
            machine.statuses["/home"] = FileStatus(kind: .folder, mode: mode)
            #expect(try only(machine).remedy == "chmod go-w /home")
        }
    }

    @Test("P16: a first session on a disk that is full or read-only is not known to go well")
    func disk() throws {
        var machine = WiredMachine()
        machine.spaces["/home"] = FileSpace(freeBytes: 0, freeFiles: 0, totalFiles: 0)
        #expect(try only(machine, isEnrolled: false).severity == .warning)
        machine.spaces["/home"] = FileSpace(freeBytes: 1 << 30, freeFiles: 0, totalFiles: 0, isReadOnly: true)
        #expect(try only(machine, isEnrolled: false).found.contains("read-only"))
    }

    @Test("P16: /run/nologin is a no, where sshd's account stage asks pam_nologin")
    func nologin() throws {
        var machine = WiredMachine()
        machine.texts["/run/nologin"] = "System is going down.\n"
        #expect(try only(machine).id.text == "nologin")
        machine.texts["/etc/pam.d/sshd"] = Debian12.sshd.replacing("pam_nologin.so", with: "pam_permit.so")
        #expect(check(machine).allSatisfy { $0.severity == .good })
    }
}
