// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

struct NameServiceRuleTests {
    @Test(
        "P7: entralogin comes after the local files and is reached; nothing merges",
        arguments: [
            ("passwd: files systemd entralogin\ngroup: files entralogin", []),
            ("passwd: compat sss entralogin # ours\ngroup:files [UNAVAIL=return] entralogin", []),
            ("passwd: files entralogin\ngroup: files [!SUCCESS=continue] entralogin", []),
            ("passwd: entralogin files\ngroup: files entralogin", ["nss.passwd"]),
            ("passwd: files\ngroup: files entralogin", ["nss.passwd"]),
            ("passwd: files #entralogin\ngroup: files entralogin", ["nss.passwd"]),
            ("group: files entralogin", ["nss.passwd"]),
            ("passwd: files [NOTFOUND=return] entralogin\ngroup: files entralogin", ["nss.passwd"]),
            ("passwd: files sss [ !UNAVAIL=return ] entralogin\ngroup: files entralogin", ["nss.passwd"]),
            ("passwd: files entralogin\ngroup: files [SUCCESS=merge] entralogin", ["nss.group"]),
            ("passwd: files entralogin\ngroup: files entralogin\ninitgroups: files sss", ["nss.initgroups"]),
            ("passwd: files entralogin\ngroup: files entralogin\ninitgroups: files entralogin", []),
            ("passwd:\tfiles\tentralogin\r\ngroup: files entralogin\r\n", []),
        ] as [(String, [String])]
    )
    func table(text: String, against: [String]) {
        let findings = NameServiceRule().evaluate(text)
        #expect(findings.filter { $0.severity == .error }.map(\.id.text) == against)
    }

    @Test("The line is named")
    func place() throws {
        let finding = try #require(NameServiceRule().evaluate("# head\n\npasswd: files\ngroup: files\n").first)
        #expect(finding.place == "/etc/nsswitch.conf:3")
    }

    @Test("A file that cannot be read is an error")
    func absent() {
        var machine = WiredMachine()
        machine.texts["/etc/nsswitch.conf"] = nil
        #expect(machine.errors.contains { $0.id.text == "nss.passwd" })
    }
}
