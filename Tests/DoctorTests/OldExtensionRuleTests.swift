// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct OldExtensionRuleTests {
    @Test("A machine without it has no finding")
    func none() {
        #expect(OldExtensionRule().evaluate(WiredMachine()).isEmpty)
    }

    @Test(
        "What Microsoft's extension leaves is found wherever it left it",
        arguments: [
            (
                "/etc/ssh/sshd_config", "Match User *@*\n    AuthorizedKeysCommand /usr/sbin/aad_certhandler %u %k\n",
                ":2"
            ),
            ("/etc/pam.d/common-auth", "# a\nauth sufficient pam_aad.so\n", ":2"),
            ("/etc/nsswitch.conf", "passwd: files aad entralogin\n", ":1"),
            ("/usr/sbin/aad_certhandler", "", ""), ("/etc/sudoers.d/aad_admins", "", ""),
            ("/usr/lib/x86_64-linux-gnu/libnss_aad.so.2", "", ""),
        ]
    )
    func found(path: String, text: String, line: String) throws {
        var machine = WiredMachine()
        machine.texts[path] = text
        let finding = try #require(OldExtensionRule().evaluate(machine).first)
        #expect(finding.place == path + line && finding.severity == .warning)
        #expect(finding.remedy.contains("AADSSHLoginForLinux"))
    }
}
