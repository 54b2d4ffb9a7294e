// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

struct SudoRsRuleTests {
    private static let byName = "%entra_admins ALL=(ALL:ALL) NOPASSWD: ALL\n"
    private static let byNumber = "%#1879048193 ALL=(ALL:ALL) NOPASSWD: ALL\n"
    private static let byPlugin = "Defaults:%#1879048192 group_plugin=\(SudoersFilesRule.pluginPath)\n"

    /// A machine with this version of sudo-rs as its sudo; nil: the original sudo.
    private func machine(_ version: String?, _ file: String, group: String = "") -> WiredMachine {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = "@includedir /etc/sudoers.d\n"
        machine.texts["/etc/sudoers.d/entralogin"] = file
        machine.texts[SudoersFilesRule.pluginPath] = ""
        for program in ["/usr/bin/sudo", "/usr/bin/getent"] { machine.texts[program] = "" }
        let said = version.map { "sudo-rs \($0)\n" } ?? "Sudo version 1.9.16p2\n"
        // sudo-rs 0.2.5 writes its version to standard error.
        machine.programs["/usr/bin/sudo --version"] =
            version == "0.2.5" ? ProgramResult(status: 0, complaint: said) : ProgramResult(status: 0, output: said)
        machine.programs["/usr/bin/getent group"] = ProgramResult(status: group.isEmpty ? 2 : 0, output: group)
        return machine
    }

    private func severities(_ machine: WiredMachine) -> [String: Severity] {
        Dictionary(uniqueKeysWithValues: SudoRsRule().evaluate(machine).map { ($0.id.text, $0.severity) })
    }

    @Test("P16: sudo-rs is named with what it does not cover: less from 0.2.15 on")
    func coverage() {
        for (version, severity) in [
            ("0.2.5", Severity.warning), ("0.2.13", .warning), ("0.2.15", .note), ("0.3.0", .note), ("1.0", .note),
        ] {
            #expect(severities(machine(version, Self.byName)) == ["sudo-rs": severity], "\(version)")
        }
        #expect(severities(machine(nil, Self.byPlugin)).isEmpty)
    }

    @Test("P16: A file that is for the other sudo is an error")
    func otherFile() {
        #expect(severities(machine("0.2.15", Self.byPlugin)) == ["sudo-rs.file": .error])
        #expect(severities(machine(nil, Self.byNumber)) == ["sudo-rs.file": .error])
    }

    @Test("P7: A rule by the group's name is an error where another service answers for the name; by number it is none")
    func foreignGroup() {
        let line = "entra_admins:*:1879048193:\n"
        let theirs = "entra_admins:x:70002:lisa\n"
        #expect(severities(machine("0.2.5", Self.byName, group: line)) == ["sudo-rs": .warning])
        let found = severities(machine("0.2.5", Self.byName, group: theirs))
        #expect(found == ["sudo-rs": .warning, "sudo-rs.group": .error])
        #expect(severities(machine("0.2.15", Self.byNumber, group: theirs)) == ["sudo-rs": .note])
    }

    @Test("P2: What could keep sudo after a role's end withholds it: sign-in goes on, as a user")
    func withheld() {
        #expect(SudoersReview(machine(nil, Self.byPlugin), administratorsGroup: "entra_admins").withheld == nil)
        var other = machine(nil, Self.byPlugin)
        for line in ["Defaults !pam_acct_mgmt\n", "Defaults group_plugin=x.so\n", "Defaults:ALL pam_service=cron\n"] {
            other.texts["/etc/sudoers.d/zz"] = line
            let verdict = StackCheck(on: other).run()
            #expect(verdict.holds && verdict.withholdsAdministrators, "\(line)")
            #expect(verdict.findings.contains { $0.id.text == "sudo.withheld" && $0.severity == .warning })
        }
        other.texts["/etc/sudoers.d/zz"] = "Defaults lecture=never\n"
        #expect(!StackCheck(on: other).run().withholdsAdministrators)
        other.texts["/etc/nsswitch.conf", default: ""] += "sudoers: files sss\n"
        other.programs["/usr/bin/sudo -n"] = ProgramResult(status: 0, output: "    env_reset, !pam_acct_mgmt\n")
        let verdict = StackCheck(on: other).run()
        #expect(verdict.holds && verdict.withholdsAdministrators, "a directory's defaults")
    }

    @Test("P2: Where sudo cannot be asked what LDAP sets, it stays as it was; SSSD has no say about Entra accounts")
    func unseen() {
        for (source, answer, before, isWithheld) in [
            ("ldap", "", Bool?.none, true), ("ldap", "", true, true), ("ldap", "", false, false),
            ("sss", "", nil, false),
            ("ldap", "User root may run the following commands on vm:\n", true, false),
        ] {
            var machine = machine(nil, Self.byPlugin)
            machine.texts["/etc/nsswitch.conf", default: ""] += "sudoers: files \(source)\n"
            machine.programs["/usr/bin/sudo -n"] = ProgramResult(status: 1, output: answer)
            let review = SudoersReview(machine, administratorsGroup: "entra_admins", wasWithheld: before)
            #expect((review.withheld != nil) == isWithheld, "\(source), \(answer), \(String(describing: before))")
        }
    }

    @Test("P2: sudo's other sources are named, and what they set for everybody is an error")
    func sources() {
        var machine = machine(nil, Self.byPlugin)
        func evaluate(_ line: String, _ defaults: String) -> [Severity] {
            machine.texts["/etc/nsswitch.conf"] = "passwd: files entralogin\ngroup: files entralogin\n\(line)\n"
            let list = """
                Matching Defaults entries for root on vm:
                    \(defaults)

                User root may run the following commands on vm:
                    (ALL : ALL) ALL
                """
            machine.programs["/usr/bin/sudo -n"] = ProgramResult(status: 0, output: list)
            return SudoersSourcesRule().evaluate(machine).map(\.severity)
        }
        #expect(evaluate("", "!pam_acct_mgmt").isEmpty && evaluate("sudoers: files", "!pam_acct_mgmt").isEmpty)
        #expect(evaluate("sudoers: sss", "env_reset") == [.error])
        #expect(evaluate("sudoers: files [SUCCESS=return] sss", "env_reset, pam_service=sudo") == [.note])
        for defaults in ["env_reset, !pam_acct_mgmt", "pam_service=cron", "group_plugin=\"system_group.so\""] {
            #expect(evaluate("sudoers: files sss", defaults) == [.error], "\(defaults)")
        }
    }
}
