// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct SSHDRuleTests {
    private func evaluate(_ output: String) -> [Finding] { SSHDRule().evaluate(SSHDConfiguration(output)) }

    @Test("P4: every line of the drop-in is needed: with another value, or without it, there is an error of its name")
    func everyNeed() throws {
        for need in SSHDRule.needs {
            let line = "\(need.keyword) \(need.value)"
            #expect(Debian12.configuration.contains(line))
            let other = Debian12.configuration.replacing(line, with: "\(need.keyword) other")
            #expect(evaluate(other).map(\.id.text) == ["sshd.\(need.keyword)"], "\(line)")
            let without = Debian12.configuration.replacing("\(line)\n", with: "")
            #expect(evaluate(without).contains { $0.severity == .error } == !need.mayBeAbsent, "\(line)")
        }
    }

    @Test("What both kinds of name meet is said once; what one meets, with its kind")
    func kinds() {
        let good = SSHDConfiguration(Debian12.configuration)
        let bad = SSHDConfiguration(Debian12.configuration.replacing("usepam yes", with: "usepam no"))
        let both = SSHDRule.evaluate([("UPN", bad), ("GUID", bad)])
        #expect(both.map(\.id.text) == ["sshd.usepam"])
        #expect(!both[0].found.contains("(for a"))
        let one = SSHDRule.evaluate([("UPN", good), ("GUID", bad)])
        #expect(one.map(\.id.text) == ["sshd.person", "sshd.usepam"])
        #expect(one[1].found.hasSuffix("(for a GUID)"))
    }

    @Test("A longer value that begins as it must is another value")
    func longerValues() {
        let any = Debian12.configuration.replacing("publickey", with: "publickey publickey,password")
        #expect(evaluate(any).map(\.id.text) == ["sshd.authenticationmethods"])
        let keys = Debian12.configuration.replacing(
            "authorizedkeysfile none",
            with: "authorizedkeysfile none .ssh/keys"
        )
        #expect(evaluate(keys).map(\.id.text) == ["sshd.authorizedkeysfile"])
    }

    @Test(
        "P16: A forced command is a note; algorithms that shut Entra's certificates out are an error, not of the stamp"
    )
    func remarks() {
        let forced = Debian12.configuration.replacing("forcecommand none", with: "forcecommand /usr/bin/audit")
        #expect(evaluate(forced).contains { $0.id.text == "sshd.forcecommand" && $0.severity == .note })
        for (line, id) in [
            ("requiredrsasize 3072", "sshd.requiredrsasize"),
            ("pubkeyacceptedalgorithms ssh-ed25519,ssh-ed25519-cert-v01@openssh.com", "sshd.pubkeyacceptedalgorithms"),
            ("casignaturealgorithms ssh-ed25519", "sshd.casignaturealgorithms"),
        ] {
            var machine = WiredMachine()
            machine.configuration = Debian12.configuration.replacing("requiredrsasize 1024\n", with: "") + "\n\(line)"
            let around = MachineCheck(on: machine, domain: "a.b", usersGroup: "u", administratorsGroup: "v").run()
            #expect(around.contains { $0.id.text == id && $0.severity == .error }, "\(line)")
            #expect(machine.errors.isEmpty)
        }
    }

    @Test("P4: a Match block that is read before entralogin's would win, so it is an error")
    func matchBefore() throws {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config.d/00-admin.conf"] = "match  User alice@contoso.com\nAuthorizedKeysFile /k\n"
        let finding = try #require(machine.errors.first)
        #expect(finding.id.text == "sshd.files")
        #expect(finding.place == "/etc/ssh/sshd_config.d/00-admin.conf:1")
        machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config"] = "Match Address 10.0.0.0/8\nInclude sshd_config.d/*.conf\n"
        #expect(machine.errors.map(\.place) == ["/etc/ssh/sshd_config:1"])
    }

    @Test("A Match block behind entralogin's, and global lines before it, do no harm")
    func matchBehind() {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config"] = "Port=2222\nInclude \"sshd_config.d/*.conf\" # ours\nMatch User bob\n"
        machine.texts["/etc/ssh/sshd_config.d/50-x.conf"] = "Match User *\n"
        #expect(machine.errors.isEmpty)
    }

    @Test("entralogin's block in the main file counts, behind global lines and before every other Match block")
    func blockInTheMainFile() {
        let block = Debian12.block() + "Match all\n"
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config"] = "UsePAM yes\n\(block)"
        #expect(machine.errors.isEmpty)
        machine.texts["/etc/ssh/sshd_config"] = "UsePAM yes\nMatch Group ops\n\(block)"
        #expect(machine.errors.map(\.place) == ["/etc/ssh/sshd_config:2"])
    }

    @Test("A drop-in that is not read is an error")
    func notIncluded() {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config"] = "#Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n"
        machine.configuration = Debian12.configuration.replacing(
            "authorizedkeysfile none",
            with: "authorizedkeysfile k"
        )
        #expect(machine.errors.map(\.id.text) == ["sshd.files"])
    }

    @Test(
        "P16: one cause is one finding: a drop-in that is gone, or not read; and UsePAM apart from it, with its place"
    )
    func oneCause() throws {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config.d/00-entralogin.conf"] = nil
        machine.texts["/etc/ssh/sshd_config.d/50-site.conf"] = "UsePAM no\n"
        machine.configuration = "usepam no\npasswordauthentication yes"
        let errors = machine.errors
        #expect(errors.map(\.id.text) == ["sshd.files", "sshd.usepam"])
        #expect(errors[0].found.contains("is missing"))
        #expect(errors[1].remedy == "UsePAM yes in /etc/ssh/sshd_config.d/50-site.conf:1, then reload sshd")
    }
}
