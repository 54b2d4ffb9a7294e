// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct AdmittanceRuleTests {
    private func evaluate(_ lines: String) -> [Finding] {
        let rule = AdmittanceRule(
            usersGroup: "entra_users",
            administratorsGroup: "entra_admins",
            probe: "entralogin-probe@contoso.com"
        )
        return rule.evaluate(SSHDConfiguration(lines))
    }

    @Test(
        "Lists that let every Entra account pass are good, with any others on them",
        arguments: [
            "usepam yes", "allowgroups sudo\nallowgroups entra_users", "allowgroups entra_*", "allowusers *",
            "allowusers root\nallowusers *@*", "denyusers root", "denygroups guests", "allowusers *@10.0.0.0/8",
            "allowusers *?contoso.com\nallowusers lisa", "denyusers alice?contoso.com", "denyusers *@10.0.0.0/8",
        ]
    )
    func good(lines: String) {
        #expect(evaluate(lines).map(\.severity) == [.good])
    }

    @Test(
        "P16: Lists that turn Entra accounts away are named with what is to be written, as sshd reads an @",
        arguments: [
            ("allowgroups sudo", "sshd.allowgroups", Severity.error, "entra_users"),
            ("allowgroups entra_admins", "sshd.allowgroups", .error, "begins when a session opens"),
            ("allowgroups alice@contoso.com\nallowgroups root", "sshd.allowgroups", .error, "only alice@contoso.com"),
            ("allowusers root\nallowusers azureuser", "sshd.allowusers", .error, "AllowUsers (root azureuser)"),
            ("allowusers alice@contoso.com", "sshd.allowusers", .error, "alice?contoso.com"),
            ("allowusers *@contoso.com\nallowusers lisa", "sshd.allowusers", .error, "*?contoso.com"),
            (
                "allowusers bob?contoso.com\nallowusers alice@contoso.com", "sshd.allowusers", .warning,
                "alice?contoso.com"
            ),
            ("denyusers *@*", "sshd.denyusers", .error, "every Entra account"),
            ("denyusers alice@contoso.com", "sshd.denyusers", .warning, "write alice?contoso.com"),
            ("denyusers *@contoso.com", "sshd.denyusers", .warning, "denies no Entra account"),
            ("denyusers *@fabrikam.com", "sshd.denyusers", .warning, "*?fabrikam.com"),
            ("denygroups entra_users", "sshd.denygroups", .error, "entra_users"),
            ("denygroups entra_admins", "sshd.denygroups", .warning, "second session"),
        ]
    )
    func bad(lines: String, id: String, severity: Severity, words: String) throws {
        let findings = evaluate(lines)
        try #require(findings.count == 1)
        #expect(findings[0].id.text == id && findings[0].severity == severity)
        let finding = findings[0]
        #expect("\(finding.found) \(finding.needed) \(finding.remedy)".contains(words))
    }

    @Test("P16: A list of some Entra accounts, rightly written, is a note and no warning for ever")
    func selective() {
        let findings = evaluate("allowusers alice?contoso.com\nallowusers lisa\nallowusers root")
        #expect(findings.map(\.severity) == [.note, .good])
        #expect(evaluate("denygroups bob@contoso.com").map(\.severity) == [.note, .good])
    }

    @Test("With UseDNS a name behind the @ may be a host's")
    func resolved() {
        #expect(evaluate("usedns yes\nallowusers *@contoso.com").map(\.severity) == [.good])
    }

    @Test("The place of the list is named")
    func place() {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config.d/60-own.conf"] = "\nAllowGroups sudo\n"
        machine.configuration += "\nallowgroups sudo"
        let all = MachineCheck(on: machine, domain: "a.b", usersGroup: "u", administratorsGroup: "v").run()
        #expect(all.first { $0.id.text == "sshd.allowgroups" }?.place == "/etc/ssh/sshd_config.d/60-own.conf:2")
    }
}
