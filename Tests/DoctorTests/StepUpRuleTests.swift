// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

@Suite struct StepUpRuleTests {
    private static let asking = "%entra_admins ALL=(ALL:ALL) PASSWD: ALL\n"

    /// Debian 12 with entralogin's line in sudo's stack, PASSWD in its sudoers file, and alice as an administrator.
    private func machine(
        _ line: String = DeviceSignInRule.line,
        list: String = "    (ALL : ALL) PASSWD: ALL\n"
    ) -> WiredMachine {
        var machine = WiredMachine()
        machine.texts["/etc/pam.d/sudo"] = "\(line)\n\(Debian12.sudo)"
        machine.texts["/etc/sudoers.d/entralogin"] = Self.asking
        machine.texts["/usr/bin/sudo"] = ""
        machine.programs["/usr/bin/setpriv --groups"] = ProgramResult(
            status: 0,
            output: """
                Matching Defaults entries for alice@contoso.com on vm:
                    env_reset, mail_badpass, pam_acct_mgmt, !targetpw, !rootpw, !runaspw, authenticate

                User alice@contoso.com may run the following commands on vm:
                \(list)
                """
        )
        return machine
    }

    private func evaluate(_ machine: WiredMachine, _ administrator: String? = "alice@contoso.com") -> [Finding] {
        StepUpRule(administrator: administrator).evaluate(machine)
    }

    private func evaluate(defaults: String) -> [Finding] {
        var machine = machine()
        let more = ", authenticate, \(defaults)\n"
        machine.programs["/usr/bin/setpriv --groups"]?.output.replace(", authenticate\n", with: more)
        return evaluate(machine)
    }

    @Test("Our line before all others and a sudo that asks: good; sudo-i is checked where it is a service")
    func good() {
        #expect(evaluate(machine()).map(\.id.text) == ["pam.sudo.auth"] && evaluate(machine())[0].severity == .good)
        var both = machine()
        both.texts["/etc/pam.d/sudo-i"] = Debian12.sudo
        #expect(evaluate(both).map(\.severity) == [.good, .error])
    }

    @Test("A stack that asks for no code, or may be over before, or lets a refused person go on, is an error")
    func stacks() {
        for line in [
            "", "auth sufficient pam_timestamp.so\n\(DeviceSignInRule.line)", "auth required pam_entralogin.so",
            "auth [success=1 default=ignore] pam_rootok.so\n\(DeviceSignInRule.line)",
        ] {
            #expect(evaluate(machine(line)).map(\.severity) == [.error], "\(line)")
        }
        #expect(evaluate(machine("auth required pam_faillock.so\n\(DeviceSignInRule.line)")).map(\.severity) == [.good])
        let closed = "auth [success=done ignore=ignore default=die] pam_entralogin.so"
        #expect(evaluate(machine(closed)).map(\.severity) == [.warning])
    }

    @Test("NOPASSWD in our file is a step-up that does not happen, whether or not there is an administrator now")
    func withoutPassword() {
        var machine = machine()
        machine.texts["/etc/sudoers.d/entralogin"] = "%entra_admins ALL=(ALL:ALL) NOPASSWD: ALL\n"
        for administrator in ["alice@contoso.com", nil] {
            let finding = evaluate(machine, administrator).last
            #expect(finding?.id.text == "sudoers.step-up" && finding?.severity == .error)
            #expect(finding?.found.contains("does not happen") == true)
            #expect(finding?.place == "/etc/sudoers.d/entralogin:1")
        }
    }

    @Test("What another file makes of it, sudo says: of NOPASSWD, and of defaults, the last of which counts")
    func elsewhere() {
        #expect(evaluate(machine(list: "    (ALL) NOPASSWD: ALL\n")).last?.severity == .error)
        let some = machine(list: "    (ALL) PASSWD: ALL\n    (root) NOPASSWD: /bin/id\n")
        #expect(evaluate(some).last?.severity == .warning)
        for (defaults, word) in [
            ("!authenticate", "!authenticate"), ("targetpw", "targetpw"), ("rootpw", "rootpw"), ("runaspw", "runaspw"),
        ] {
            #expect(evaluate(defaults: defaults).last?.severity == .error)
            #expect(evaluate(defaults: defaults).last?.found.contains(word) == true)
            let taken = defaults.hasPrefix("!") ? "authenticate" : "!\(defaults)"
            #expect(evaluate(defaults: "\(defaults), \(taken)").count == 1)
        }
        #expect(evaluate(defaults: "pam_service=site").last?.found.contains("pam_service=site") == true)
        #expect(evaluate(defaults: "pam_login_service=site").last?.severity == .error)
        #expect(evaluate(defaults: "pam_service=site, pam_service=sudo, pam_login_service=sudo").count == 1)
        var silent = machine()
        silent.programs["/usr/bin/setpriv --groups"] = ProgramResult(status: 1)
        #expect(evaluate(silent).count == 1)
        #expect(
            evaluate(machine(list: "    (ALL) NOPASSWD: ALL\n"), nil).count == 1,
            "there is nobody to ask sudo about"
        )
    }

    @Test("It is checked where the settings name sudo, and nowhere else")
    func whenSwitchedOn() {
        for (services, isEvaluated) in [(["login"], false), ([], false), (["login", "sudo"], true)] {
            let check = MachineCheck(
                on: WiredMachine(),
                domain: "contoso.com",
                usersGroup: "entra_users",
                administratorsGroup: "entra_admins",
                deviceServices: services,
                deviceLimit: 300
            )
            #expect(check.run().contains { $0.id.text == "sudoers.step-up" } == isEvaluated)
        }
    }
}
