// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct EnrolledAccountsRuleTests {
    private func rule(_ domains: [String] = [], _ change: (inout WiredMachine) -> Void = { _ in })
        -> EnrolledAccountsRule
    {
        var machine = WiredMachine()
        machine.texts["/var/lib/entralogin/accounts"] = RemedyTests.enrolled
        change(&machine)
        return EnrolledAccountsRule(on: machine, domains: domains, homeTemplate: "/home/%n")
    }

    @Test("P16: settings that fit nobody who has signed in here are found; those that fit somebody are not")
    func settings() {
        #expect(rule(["contoso.com"]).evaluate().isEmpty)
        #expect(rule(["contoso.co", "fabrikam.com"]).evaluate().map(\.id.text) == ["accounts.domain"])
        #expect(rule().evaluate(tenant: "t").isEmpty && rule().isTenantOfSome("t"))
        #expect(rule().evaluate(tenant: "other").map(\.id.text) == ["accounts.tenant"])
    }

    @Test("Retired accounts, damaged lines and local lines of the name say nothing")
    func passedOver() {
        let retired = rule(["contoso.co"]) { machine in
            machine.texts["/var/lib/entralogin/accounts"] = RemedyTests.enrolled.replacing(
                "retired=-",
                with: "retired=9"
            )
        }
        let damaged = rule(["contoso.co"]) {
            $0.texts["/var/lib/entralogin/accounts"] = "account alice@contoso.com uid=1\n"
        }
        let local = rule(["contoso.co"]) { $0.texts["/etc/passwd"]? += "\nalice@contoso.com:x:1:1::/h:/bin/sh\n" }
        #expect([retired, damaged, local].allSatisfy { $0.evaluate().isEmpty && $0.evaluate(tenant: "x").isEmpty })
    }

    @Test("P16: an account that root added is looked at like one that has signed in")
    func added() {
        let added = RemedyTests.enrolled.replacing("gecos=\n", with: "gecos= added=root\n")
        let found = rule(["contoso.co"]) { $0.texts["/var/lib/entralogin/accounts"] = added }
        #expect(found.evaluate().map(\.id.text) == ["accounts.domain"])
    }

    @Test("P16: an account with a short name is looked at by that name, a locked one is not looked at")
    func marks() {
        let path = "/var/lib/entralogin/accounts"
        let short = RemedyTests.enrolled.replacing("gecos=\n", with: "gecos= short=yes added=root\n")
        #expect(rule(["contoso.co"]) { $0.texts[path] = short }.evaluate().map(\.id.text) == ["accounts.domain"])
        var machine = WiredMachine()
        machine.texts[path] = short
        let names = { (domain: String?) in
            EnrolledAccountsRule(on: machine, shortNameDomain: domain).shellsInUse.map(\.name)
        }
        #expect(names("contoso.com") == ["alice"] && names(nil) == ["alice@contoso.com"])
        let locked = RemedyTests.enrolled.replacing("gecos=\n", with: "gecos= locked=9\n")
        #expect(rule(["contoso.co"]) { $0.texts[path] = locked }.evaluate().isEmpty)
    }

    @Test("What is wrong with the folder of all homes is not said of each account")
    func folder() {
        let open = rule { $0.statuses["/home"] = FileStatus(kind: .folder, mode: 0o777) }
        #expect(open.evaluate().isEmpty)
    }
}
