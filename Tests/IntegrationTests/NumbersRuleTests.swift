// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing
import WiredMachine

@testable import Integration

struct NumbersRuleTests {
    private static let beyond: ClosedRange<UInt32> = 2_000_200_000...2_147_352_575

    private func machine(_ sssd: String, _ services: String = "files sss entralogin") -> WiredMachine {
        var machine = WiredMachine()
        machine.texts["/etc/nsswitch.conf"] = "passwd: \(services)\ngroup: \(services)\n"
        machine.texts["/etc/sssd/sssd.conf"] = sssd
        return machine
    }

    private func configured(_ text: String, _ numbers: ClosedRange<UInt32> = PosixID.userRange) -> [Finding] {
        NumbersRule(numbers: numbers).configured(machine(text))
    }

    @Test(
        "SSSD's configuration: numbers that it maps itself and that reach into the range are named, with what to write",
        arguments: [
            ("[sssd]\ndomains = corp\n[domain/corp]\nid_provider = ad\n", true),
            ("[domain/corp]\nid_provider=AD\nldap_id_mapping = True\n", true),
            ("[domain/corp]\nid_provider = ldap\nldap_id_mapping = true\n", true),
            ("[domain/corp]\nid_provider = ldap\n", false),
            ("[domain/corp]\nid_provider = ad\nldap_id_mapping = false\n", false),
            ("[domain/corp]\nid_provider = ad\nldap_idmap_range_max = 1879049216\n", false),
            ("[domain/corp]\nid_provider = ad\nldap_idmap_range_max = 1879049217\n", true),
            ("[domain/corp]\nid_provider = ad\nmax_id = 1000000000\n", false),
            ("[domain/corp]\nid_provider = ad\nmax_id = 0\n", true),
            ("# [domain/corp]\n#id_provider = ad\n", false),
            ("[domain/corp]\nid_provider = ad\nldap_idmap_range_max = 99999999999\nldap_idmap_range_min = x\n", true),
            ("[domain/corp\nid_provider = ad\n=\n[]\n]\n", false),
        ]
    )
    func bySSSD(text: String, overlaps: Bool) {
        let findings = configured(text)
        #expect(findings.map(\.id.text) == (overlaps ? ["ids.directory"] : []))
        #expect(configured(text, 2_100_000_000...2_147_352_575).isEmpty)
    }

    @Test("The remedy is a range that the rule is content with")
    func remedy() throws {
        let finding = try #require(configured("[domain/corp]\nid_provider = ad\n").first)
        #expect(finding.severity == .warning && finding.remedy.contains("IDRange=2000200000-2147352575"))
        #expect(configured("[domain/corp]\nid_provider = ad\n", Self.beyond).isEmpty)
        let whole = "[domain/corp]\nid_provider = ad\nldap_idmap_range_max = 2147400000\n"
        #expect(try #require(configured(whole).first).remedy.contains("first-last"))
    }

    @Test("Files of conf.d count, and nothing does where sss is not listed, and the stamp does not rest on it")
    func environment() {
        var other = machine("[domain/corp]\nid_provider = ad\n")
        other.texts["/etc/sssd/conf.d/10.conf"] = "[domain/corp]\nldap_idmap_range_max = 1000000000\n"
        #expect(NumbersRule(numbers: PosixID.userRange).configured(other).isEmpty)
        let unlisted = machine("[domain/corp]\nid_provider = ad\n", "files entralogin")
        #expect(NumbersRule(numbers: PosixID.userRange).configured(unlisted).isEmpty)
        let verdict = StackCheck(on: machine("[domain/corp]\nid_provider = ad\n")).run()
        #expect(verdict.holds && verdict.findings.contains { $0.id.text == "ids.directory" })
        #expect(!verdict.restsOn.contains { $0.contains("sssd") })
    }

    private func asked(_ result: ProgramResult, _ services: String = "files extrausers entralogin") -> [Finding] {
        var machine = machine("", services)
        machine.programs["/usr/bin/getent -s"] = result
        machine.texts["/var/lib/entralogin/accounts"] = """
            entralogin-accounts 1
            generation 2
            account alice@contoso.com uid=1900000000 tenant=x object=y enrolled=1 retired=- home=/h shell=/s former=- gecos=
            account bob@contoso.com uid=1900000001 tenant=x object=y enrolled=1 retired=- home=/h shell=/s former=- gecos=

            """
        return NumbersRule(numbers: PosixID.userRange).asked(machine)
    }

    @Test("By asking: a number that an account has, a number of the range, an answer that is the account's own, none")
    func byAsking() {
        #expect(asked(ProgramResult(status: 2)).isEmpty)
        let shared = asked(ProgramResult(status: 2, output: "theirs:*:1900000001:5::/:/bin/sh\n"))
        #expect(shared.map(\.id.text) == ["ids.taken"])
        #expect(shared.first?.found.contains("bob@contoso.com") == true)
        let own = "alice@contoso.com:!*:1900000000:1900000000::/:/bin/sh\n"
        #expect(asked(ProgramResult(status: 0, output: own)).isEmpty)
        let near = asked(ProgramResult(status: 2, output: "admin:*:1900000500:5::/:/bin/sh\n"), "files sss entralogin")
        #expect(near.map(\.id.text) == ["ids.directory"])
        #expect(near.first?.remedy.contains("IDRange=1900200000-") == true)
        #expect(asked(ProgramResult(status: nil, complaint: "did not end in time")).map(\.id.text) == ["ids.directory"])
        #expect(asked(ProgramResult(status: 0, output: own), "files entralogin").isEmpty)
        let short = "alice:!*:1900000000:1900000000::/:/bin/sh\n"
        #expect(asked(ProgramResult(status: 0, output: short)).isEmpty, "the account by its short name")
        let taken = "bob:*:1900000001:5::/:/bin/sh\n"
        #expect(
            asked(ProgramResult(status: 0, output: taken), "files entralogin_short").isEmpty,
            "nobody else is asked"
        )
    }
}
