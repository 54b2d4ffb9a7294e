// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct LimitsRuleTests {
    private func item(_ lines: String, asks: Bool = true) -> String? {
        var machine = WiredMachine()
        let without = Debian12.sshd.replacing("pam_limits.so", with: "pam_permit.so")
        machine.texts["/etc/pam.d/sshd"] = without + (asks ? "\nsession required pam_limits.so\n" : "")
        machine.texts["/etc/security/limits.conf"] = lines
        return LimitsRule(machine: machine).obstacle(name: "alice@contoso.com", groups: ["entra_users"])?.item
    }

    @Test(
        "P16: a limit of none for everybody, a group or a name opens no session; the nearest line counts",
        arguments: [
            ("* hard nproc 0", "nproc"), ("* - maxlogins 0", "maxlogins"),
            ("@entra_users hard maxsyslogins 0", "maxsyslogins"),
            ("alice@contoso.com\thard\tnproc\t0", "nproc"), ("* soft nproc 0", "nproc"), ("* hard nproc 100", nil),
            ("* hard nproc 0\n* soft nproc 100", "nproc"), ("* soft nproc 0\n* hard nproc 100", "nproc"),
            ("* hard nproc 0\n* - nproc 100", nil), ("* - nproc 0\n* soft nproc 100", "nproc"),
            ("* soft maxlogins 0", "maxlogins"), ("* hard maxlogins 0\n* soft maxlogins 9", nil),
            ("* hard nproc 0\n@entra_users soft nproc 100", "nproc"),
            ("@sudo hard nproc 0", nil), ("bob@contoso.com hard nproc 0", nil), ("# * hard nproc 0", nil),
            ("* hard core 0", nil),
            ("* hard nproc 0\n@entra_users hard nproc 100", nil), ("@entra_users hard nproc 100\n* hard nproc 0", nil),
            ("* hard nproc 100\n* hard nproc 0", "nproc"), ("* hard nproc 0\n* hard nproc 100", nil), ("nproc 0", nil),
        ]
    )
    func table(lines: String, expected: String?) {
        #expect(item(lines + "\n") == expected)
        #expect(item(lines + "\n", asks: false) == nil)
    }

    @Test("P16: explain and doctor name the line")
    func findings() {
        var machine = WiredMachine()
        let without = Debian12.sshd.replacing("pam_limits.so", with: "pam_permit.so")
        machine.texts["/etc/pam.d/sshd"] = without + "\nsession required pam_limits.so conf=/etc/own.conf\n"
        machine.texts["/etc/own.conf"] = "\n* hard maxlogins 0\n"
        let findings = LimitsRule(machine: machine).evaluate(name: "x@contoso.com", groups: [])
        #expect(findings.map(\.place) == ["/etc/own.conf:2"] && findings[0].severity == .error)
    }
}
