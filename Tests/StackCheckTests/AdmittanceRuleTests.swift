// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StackCheck

struct AdmittanceRuleTests {
    private func judge(_ lines: String) -> [Finding] {
        let rule = AdmittanceRule(
            usersGroup: "entra_users",
            administratorsGroup: "entra_admins",
            probe: "entralogin-probe@contoso.com"
        )
        return rule.judge(SSHDConfiguration(lines))
    }

    @Test(
        "Lists that let everybody of ours pass are good, whoever else is on them",
        arguments: [
            "usepam yes", "allowgroups sudo\nallowgroups entra_users", "allowgroups entra_*", "allowusers *",
            "allowusers root\nallowusers *@*", "denyusers root", "denygroups guests", "allowusers *@10.0.0.0/8",
        ]
    )
    func good(lines: String) {
        #expect(judge(lines).map(\.severity) == [.good])
    }

    @Test(
        "Lists that turn people of ours away are named, and with what is to be written",
        arguments: [
            ("allowgroups sudo", "sshd.allowgroups", Severity.error, "entra_users"),
            ("allowgroups entra_admins", "sshd.allowgroups", .error, "begins when a session opens"),
            ("allowusers root\nallowusers azureuser", "sshd.allowusers", .warning, "AllowUsers (root azureuser)"),
            ("allowusers alice@contoso.com", "sshd.allowusers", .warning, "alice?contoso.com"),
            ("denyusers *@*", "sshd.denyusers", .error, "every Entra account"),
            ("denygroups entra_users", "sshd.denygroups", .error, "entra_users"),
            ("denygroups entra_admins", "sshd.denygroups", .warning, "second session"),
        ]
    )
    func bad(lines: String, id: String, severity: Severity, words: String) throws {
        let findings = judge(lines)
        try #require(findings.count == 1)
        #expect(findings[0].id == id && findings[0].severity == severity)
        let finding = findings[0]
        #expect("\(finding.found) \(finding.needed) \(finding.remedy)".contains(words))
    }
}
