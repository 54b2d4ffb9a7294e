// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct SudoRuleTests {
    private func look(_ machine: WiredMachine) -> [Finding] {
        let mapped = ["developers_entra"]
        let review = SudoersReview(machine, administratorsGroup: "entra_admins", mappedGroups: mapped)
        return SudoRule(review: review).evaluate(machine)
    }

    private func evaluate(_ text: String?, visudo: ProgramResult = ProgramResult(status: 0)) -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = text
        machine.texts["/usr/sbin/visudo"] = ""
        machine.programs["/usr/sbin/visudo -c"] = visudo
        return look(machine)
    }

    @Test(
        "A sudo that reads its folder is fine",
        arguments: [
            "@includedir /etc/sudoers.d\n", "root ALL=ALL\n#includedir  /etc/sudoers.d",
            "@includedir \"/etc/sudoers.d\"",
        ]
    )
    func reads(text: String) {
        #expect(evaluate(text).isEmpty)
    }

    @Test("A folder that is not read, and a mistake in any file, are named")
    func wrong() {
        #expect(evaluate("root ALL=ALL\n# @includedir /etc/sudoers.d\n").map(\.id.text) == ["sudoers.folder"])
        let mistake = ProgramResult(status: 1, complaint: "/etc/sudoers.d/x:1:3: syntax error\n")
        let findings = evaluate("@includedir /etc/sudoers.d\n", visudo: mistake)
        #expect(findings.map(\.id.text) == ["sudoers.syntax"] && findings[0].found.contains("/etc/sudoers.d/x:1:3"))
    }

    @Test("P16: a file for an Entra account that sudo passes over for its name is a note, with another name")
    func unread() throws {
        let rule = "\"alice@contoso.com\" ALL=(root) NOPASSWD: /usr/bin/id\n"
        for name in ["alice@contoso.com", "site.conf", "site~"] {
            let found = evaluate(others: [name: rule])
            try #require(found.map(\.id.text) == ["sudoers.name"] && found.map(\.severity) == [.note], "\(name)")
            #expect(found[0].found.contains("/etc/sudoers.d/\(name)"))
        }
        #expect(evaluate(others: ["alice@contoso.com": rule])[0].remedy.contains("/etc/sudoers.d/alice@contoso_com"))
        #expect(evaluate(others: ["site": rule, "old.bak": "lisa ALL=ALL\n# a@b.c\n@include x\n"]).isEmpty)
    }

    private func evaluate(others: [String: String], main: String = "@includedir /etc/sudoers.d\n") -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = main
        for (name, text) in others { machine.texts["/etc/sudoers.d/\(name)"] = text }
        return look(machine)
    }

    @Test("P2: Another group plugin read after entralogin's file is an error; before it, it has no effect")
    func plugins() {
        let line = "Defaults group_plugin=\"system_group.so\"\n"
        #expect(evaluate(others: ["zz": line]).map(\.id.text) == ["sudoers.group-plugin"])
        #expect(
            evaluate(others: ["zz": "Defaults:ALL log_output, \\\n group_plugin = x.so\n"]).first?.severity == .error
        )
        #expect(evaluate(others: ["aa": line]).isEmpty)
        #expect(evaluate(others: ["zz.disabled": line, "zz~": line]).isEmpty)
        #expect(evaluate(others: [:], main: "\(line)@includedir /etc/sudoers.d\n").isEmpty)
        #expect(evaluate(others: [:], main: "#includedir /etc/sudoers.d\n\(line)").first?.place == "/etc/sudoers:2")
    }

    @Test("P7: A rule by the administrators' group, by name or number, is named wherever it stands")
    func groups() {
        for who in ["%entra_admins", "%#1879048193", "root, %entra_admins", "\"%entra_admins\""] {
            #expect(
                evaluate(others: ["aa": "\(who) ALL=(ALL) NOPASSWD: ALL\n"]).map(\.id.text) == ["sudoers.by-group"],
                "\(who)"
            )
        }
        let mapped = evaluate(others: ["aa": "%developers_entra ALL=(root) /bin/id\n"])
        #expect(mapped.map(\.id.text) == ["sudoers.by-group"])
        #expect(mapped.first?.needed == "\"%:entralogin:developers_entra\"")
        let harmless = [
            "\"%:entralogin:developers_entra\" ALL=(root) /bin/id", "%developers_entra2 ALL=ALL",
            "Defaults:%developers_entra lecture=never",
            "%entra_users ALL=(lisa) /bin/id", "# %entra_admins ALL=ALL", "Defaults:%entra_admins lecture=never",
            "\(LocalAccountsRule.members) ALL=(ALL) ALL", "%entra_admins2 ALL=ALL",
        ]
        for line in harmless { #expect(evaluate(others: ["aa": line + "\n"]).isEmpty, "\(line)") }
    }

    @Test("P2: Defaults that take PAM's account stage away, read after entralogin's, are named")
    func accountStage() {
        for defaults in ["!pam_acct_mgmt", "pam_service=cron", "pam_login_service=x", "pam_askpass_service=x, lecture"]
        {
            for bound in ["Defaults", "Defaults:ALL", "Defaults!/usr/bin/id", "Defaults>root"] {
                let findings = evaluate(others: ["zz": "\(bound) \(defaults)\n"])
                #expect(findings.map(\.id.text) == ["sudoers.account-stage"], "\(bound) \(defaults)")
                #expect(findings.first?.severity == .error)
                #expect(evaluate(others: ["aa": "\(bound) \(defaults)\n"]).isEmpty)
            }
        }
        #expect(evaluate(others: ["zz": "Defaults pam_service=sudo, pam_acct_mgmt\n"]).isEmpty)
    }

    @Test("The plugin that our file names must be there and load")
    func plugin() {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = "@includedir /etc/sudoers.d\n"
        machine.texts["/etc/sudoers.d/entralogin"] =
            "Defaults:%#1879048192 group_plugin=\(SudoersFilesRule.pluginPath)\n"
        #expect(look(machine).map(\.id.text) == ["module.sudo"])
        machine.texts[SudoersFilesRule.pluginPath] = ""
        #expect(look(machine).isEmpty)
        machine.loaderComplaint = "undefined symbol"
        #expect(look(machine).map(\.id.text) == ["module.sudo"])
    }

    @Test("Where sudo is not there, or our file is not, nothing is said here")
    func absent() {
        #expect(evaluate(nil).isEmpty)
        var machine = WiredMachine()
        machine.texts["/etc/sudoers.d/entralogin"] = nil
        machine.texts["/etc/sudoers"] = "root ALL=ALL\n"
        #expect(look(machine).isEmpty)
    }
}
