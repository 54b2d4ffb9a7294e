// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

/// Homes and shells of some accounts to come.
struct OverridesRuleTests {
    private func evaluate(_ overrides: OverriddenAccounts...) -> [Finding] {
        OverridesRule(overrides: overrides).evaluate(WiredMachine())
    }

    @Test(
        "P16: a shell that is not there, or a folder that is none, is named with whom it keeps out and where it is set"
    )
    func wrong() {
        let found = evaluate(
            .shell("%builders", "/bin/none", place: "/etc/c:3"),
            .home("*@contoso.com", "/etc/passwd/%n", place: "/etc/c:2")
        )
        #expect(found.map(\.id) == ["overrides.shell", "overrides.home"])
        #expect(found.allSatisfy { $0.severity == .error && $0.keepsOut == nil })
        #expect(found.first?.found.hasPrefix("%builders in [Overrides]") == true && found.first?.place == "/etc/c:3")
        #expect(found.last?.found.contains("*@contoso.com") == true)
    }

    @Test("What can be used is not listed")
    func right() {
        #expect(evaluate().isEmpty)
        #expect(
            evaluate(.shell("%a", "/bin/bash", place: nil), .home("alice@contoso.com", "/home/alice", place: nil))
                .isEmpty
        )
    }
}
