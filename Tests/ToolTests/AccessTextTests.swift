// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import entraloginctl

struct AccessTextTests {
    private func text(_ report: AccessReport) -> String {
        AccessText(style: Style()).lines(report).joined(separator: "\n")
    }

    @Test("Who may sign in is a table; that groups are not expanded is said, and what counts for nothing")
    func table() {
        var report = AccessReport()
        report.entries = [
            AccessEntry(
                objectID: "0b1e",
                kind: "User",
                role: "administrator",
                name: "alice@contoso.com",
                scopes: ["/subscriptions/s"]
            ),
            AccessEntry(objectID: "0b1f", kind: "Group", role: "user", scopes: ["/"]),
        ]
        report.total = 3
        report.conditional = 1
        let text = text(report)
        #expect(text.contains("alice@contoso.com  0b1e       User   administrator"))
        #expect(text.contains("-                  0b1f       Group  user") && text.contains("and 1 more"))
        #expect(text.contains("A group stands for its members") && text.contains("1 assignments with a condition"))
    }

    @Test("Without a list the reason and the remedy are told")
    func fault() {
        var report = AccessReport()
        report.fault = "This machine's identity may not ask Azure for your role"
        report.remedy = "az role assignment create"
        #expect(text(report).contains("may not ask") && text(report).contains("az role assignment create"))
    }
}
