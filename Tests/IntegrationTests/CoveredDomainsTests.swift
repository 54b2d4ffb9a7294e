// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

@Suite("P4: sshd's block covers every domain with an account here")
struct CoveredDomainsTests {
    private static let accounts = """
        entralogin-accounts 1
        generation 4
        account a@old.example uid=1 tenant=t object=o enrolled=1 retired=- home=/home/a shell=/bin/sh former=- gecos=A
        account b@gone.example uid=2 tenant=t object=o enrolled=1 retired=7 home=/home/b shell=/bin/sh former=- gecos=B
        account b@x.y/../../evil uid=3 tenant=t object=o enrolled=1 retired=- home=/ shell=/bin/sh former=- gecos=C
        account 00000000-0000-4000-8000-000000000001 uid=4 tenant=t object=o enrolled=1 retired=- home=/ shell=/ former=- gecos=
        end 4 0000

        """

    private func machine(_ accounts: String = accounts) -> WiredMachine {
        var machine = WiredMachine()
        machine.texts[CoveredDomains.accounts] = accounts
        return machine
    }

    @Test("Domains of Domains= come first, then those of accounts that are not retired; nothing that is no domain")
    func words() throws {
        #expect(try CoveredDomains(allowed: ["contoso.com"], on: machine()).words == ["contoso.com", "old.example"])
        #expect(try CoveredDomains(allowed: [], on: machine()).words == ["any"])
        #expect(try CoveredDomains(allowed: ["old.example"], on: WiredMachine()).words == ["old.example"])
    }

    @Test("Too many domains are an error, not a long wait, unless sshd's block covers every domain")
    func bounded() {
        let many = (0...CoveredDomains.limit).map { "account a@d\($0).example uid=1 retired=- x\n" }.joined()
        #expect(throws: CoveredDomains.Failure.self) { try CoveredDomains(allowed: [], on: machine(many)) }
        #expect(machine(many).errors.isEmpty)
        var narrow = machine(many)
        narrow.uncovered = ["any.invalid"]
        #expect(narrow.errors.map(\.id.text) == ["sshd.domains"])
    }

    @Test("An uncovered domain is an error where somebody of it has an account, otherwise a warning")
    func uncovered() throws {
        let open = SSHDConfiguration(
            Debian12.configuration.replacing("authorizedkeysfile none", with: "authorizedkeysfile k")
        )
        let rule = CoveredDomainsRule(common: [])
        #expect(rule.evaluate("old.example", isEnrolled: true, open)?.severity == .error)
        #expect(rule.evaluate("new.example", isEnrolled: false, open)?.severity == .warning)
        #expect(rule.evaluate("old.example", isEnrolled: true, SSHDConfiguration(Debian12.configuration)) == nil)
    }
}
