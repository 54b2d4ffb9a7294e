// SPDX-License-Identifier: Apache-2.0

import Authorization
import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct AccountModulesRuleTests {
    private func check(_ line: String, _ texts: [String: String] = [:], isEnrolled: Bool = true) -> [Finding] {
        let account = Explanation.Account(
            name: "alice@contoso.com",
            uid: 1_999_259_362,
            home: "/home/a",
            shell: "/bin/bash",
            isEnrolled: isEnrolled
        )
        let groups = isEnrolled ? ["alice@contoso.com", "entra_users"] : ["entra_users"]
        return AccountModulesRule(machine: machine(line, texts)).evaluate(account, groups: groups)
    }

    private func machine(_ line: String, _ texts: [String: String]) -> WiredMachine {
        var machine = WiredMachine()
        machine.texts["/etc/pam.d/sshd"] = "account \(line)\n\(Debian12.sshd)"
        for (path, text) in texts { machine.texts[path] = text }
        return machine
    }

    private func doctor(_ access: String) -> [Finding] {
        AccountModulesRule(machine: machine("required pam_access.so", ["/etc/security/access.conf": access])).evaluate(
            probe: "entralogin-probe@contoso.com",
            shell: "/bin/bash",
            usersGroup: "entra_users",
            administratorsGroup: "entra_admins"
        )
    }

    @Test(
        "P16: access.conf is read as pam_access reads it: parentheses for groups, an @ for a host, the first line that fits",
        arguments: [
            ("", Severity.good, Severity.good), ("+:root lisa:ALL\n-:ALL:ALL\n", .error, .error),
            ("+:(entra_users):ALL\n-:ALL:ALL\n", .good, .good), ("+:entra_users:ALL\n-:ALL:ALL", .good, .good),
            ("+:(alice@contoso.com):ALL\n-:ALL:ALL\n", .good, .error),
            ("-:(alice@contoso.com):ALL\n", .error, .good), ("-:ALL EXCEPT root lisa:ALL\n", .error, .error),
            ("-:ALL EXCEPT (entra_users):ALL\n", .good, .good), ("-:(entra_users):LOCAL\n", .good, .good),
            ("-:(entra_users):10.0.0.0/8\n", .warning, .warning), ("+:@entra_users:ALL\n-:ALL:ALL\n", .error, .error),
            ("-:alice@contoso.com:ALL\n", .warning, .warning), ("# -:ALL:ALL\n+ : ALL : ALL\n", .good, .good),
        ]
    )
    func access(text: String, enrolled: Severity, newcomer: Severity) {
        let texts = ["/etc/security/access.conf": text]
        #expect(check("required pam_access.so", texts).map(\.severity) == [enrolled])
        #expect(check("required pam_access.so", texts, isEnrolled: false).map(\.severity) == [newcomer])
    }

    @Test(
        "P16: simple conditions and lists are evaluated, the others are named as not asked",
        arguments: [
            ("required pam_succeed_if.so quiet user ingroup entra_users", Severity.good),
            ("required pam_succeed_if.so user ingroup ops", .error),
            ("required pam_succeed_if.so uid < 2000", .error), ("required pam_succeed_if.so tty = x", .warning),
            ("required pam_listfile.so item=user sense=allow file=/etc/list onerr=fail", .good),
            ("required pam_listfile.so item=user sense=deny file=/etc/list", .error),
            ("required pam_listfile.so item=tty sense=deny file=/etc/list", .warning),
            ("required pam_time.so", .good), ("required pam_succeed_if.so quiet shell notin /bin/bash", .error),
            ("requisite pam_deny.so", .error), ("requisite pam_site.so", .warning),
        ]
    )
    func others(line: String, severity: Severity) {
        let found = check(line, ["/etc/list": "bob\nalice@contoso.com\n"])
        #expect(found.map(\.severity) == [severity], "\(found)")
    }

    @Test("P16: a line of the session stage that refuses everybody, a module that is not there, a sudo that says no")
    func denied() {
        var machine = WiredMachine()
        machine.texts["/etc/pam.d/sshd"] =
            Debian12.sshd + "\nsession required pam_deny.so\naccount required pam_gone.so\n"
        machine.texts["/usr/lib/x86_64-linux-gnu/security/pam_unix.so"] = ""
        for name in ["nologin", "deny", "permit", "succeed_if"] {
            machine.texts["/usr/lib/x86_64-linux-gnu/security/pam_\(name).so"] = ""
        }
        machine.texts["/etc/pam.d/sudo"] = Debian12.sudo + "\naccount required pam_deny.so\n"
        let rule = AccountModulesRule(machine: machine)
        let found = rule.evaluate(
            probe: "entralogin-probe@contoso.com",
            shell: "/bin/bash",
            usersGroup: "entra_users",
            administratorsGroup: "entra_admins"
        )
        #expect(found.map(\.id.text) == ["pam.others", "pam.others", "pam.others.sudo"])
        #expect(found.map(\.severity) == [.error, .error, .warning])
    }

    @Test("P16: lines of time.conf are not asked about")
    func time() {
        let found = check("required pam_time.so", ["/etc/security/time.conf": "# none\n*;*;!root;!Al0000-2400\n"])
        #expect(found.map(\.severity) == [.warning])
    }

    @Test("A module whose no is ignored refuses nobody")
    func ignored() {
        #expect(check("optional pam_time.so").isEmpty)
        #expect(check("sufficient pam_succeed_if.so uid < 500 quiet").isEmpty)
    }

    @Test("P16: doctor names what access.conf does to Entra accounts, and words in it that mean nobody")
    func traps() {
        #expect(doctor("+:(entra_users):ALL\n-:ALL:ALL").isEmpty)
        #expect(doctor("+:root:ALL\n-:ALL:ALL").map(\.severity) == [.error])
        #expect(doctor("+:(alice@contoso.com):ALL\n-:ALL:ALL").map(\.severity) == [.warning])
        let denied = doctor("-:alice@contoso.com:ALL\n")
        #expect(denied.map(\.id.text) == ["pam.access"] && denied[0].needed == "(alice@contoso.com)")
        #expect(doctor("+:(entra_admins):ALL\n+:(entra_users):ALL").map(\.id.text) == ["pam.access"])
    }
}
