// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Homes and shells that the settings override for future accounts.
struct OverridesRuleTests {
    private func evaluate(_ who: String, _ value: OverriddenAccounts.Value, place: String? = nil) throws -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/etc/group"] =
            "known:x:1:alice@contoso.com,lisa\nbuilders:x:2:alice@contoso.com,bob@contoso.com\n"
        machine.texts[CoveredDomains.accounts] = RemedyTests.enrolled
        let override = OverriddenAccounts(try #require(AccountSelector(who)), value, place: place)
        return OverridesRule(overrides: [override]).evaluate(machine)
    }

    @Test(
        "P16: a shell that is not there, or a folder that is none, is named with whom it keeps out and where it is set"
    )
    func wrong() throws {
        let shell = try #require(try evaluate("%builders", .shell("/bin/none"), place: "/etc/c:3").first)
        #expect(shell.id.text == "overrides.shell" && shell.severity == .error && shell.place == "/etc/c:3")
        #expect(shell.found.hasPrefix("for %builders: ") && shell.keepsOut == nil)
        let home = try #require(try evaluate("*@contoso.com", .home("/etc/passwd/%n"), place: "/etc/c:2").first)
        #expect(home.id.text == "overrides.home" && home.severity == .error && home.place == "/etc/c:2")
        #expect(home.found.hasPrefix("for *@contoso.com: "))
    }

    @Test(
        "P16: what concerns nobody new keeps nobody out: a warning; enrolled accounts keep their home and shell",
        arguments: [
            ("%nosuch", Severity.warning), ("%known", .warning), ("alice@contoso.com", .warning),
            ("bob@contoso.com", .error),
            ("%builders", .error), ("*@contoso.com", .error),
        ]
    )
    func concerned(who: String, severity: Severity) throws {
        #expect(try evaluate(who, .shell("/bin/none")).map(\.severity) == [severity])
        #expect(try evaluate(who, .home("/etc/passwd/%n")).map(\.severity) == [severity])
    }

    @Test("What can be used is not listed")
    func right() throws {
        #expect(try evaluate("%builders", .shell("/bin/bash")).isEmpty)
        #expect(try evaluate("bob@contoso.com", .home("/home/bob")).isEmpty)
    }
}
