// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import entraloginctl

struct StatusTextTests {
    private static let now: Int64 = 1_786_975_509
    private let text = StatusText(style: Style(), now: StatusTextTests.now)

    private var report: StatusReport {
        var report = StatusReport(version: "0.1.0", startedAt: Self.now - 7500, isReady: true)
        report.machine = MachineReport(
            cloud: "AzurePublicCloud",
            kind: "vm",
            resource: "/subscriptions/0/resourceGroups/web/providers/Microsoft.Compute/virtualMachines/web1",
            tenant: "11111111-2222-3333-4444-555555555555",
            name: "web1"
        )
        report.tokens = [TokenReport(audience: "pas", expiresAt: Self.now + 3600)]
        report.checkers = [
            CheckerReport(name: "pas", state: "ready", lastLatencyMilliseconds: 84),
            CheckerReport(name: "arm", state: "untried"),
        ]
        report.checkers[0].lastAskedSecondsAgo = 61
        report.keys.count = 6
        report.keys.sources = ["jwks"]
        report.keys.ageSeconds = 7200
        report.accounts.enrolled = 3
        report.decisions.allowed = 12
        report.decisions.denied = ["role-not-assigned": 2, "certificate": 5]
        report.memoryBytes = 17 << 20
        report.clockAheadSeconds = -300
        return report
    }

    @Test("Status says what works, in lines of a label and a text, each of at most eighty columns")
    func working() {
        #expect(
            text.lines(report) == [
                "daemon      working, version 0.1.0, since 2 h 5 min, 17 MiB",
                "sign-in     on: the integration is verified", "cloud       AzurePublicCloud", "machine     web1, vm",
                "            resource group web", "            subscription 0",
                "            tenant 11111111-2222-3333-4444-555555555555", "identity    pas: token for 1 h",
                "checkers    pas: answers, 84 ms, 1 min ago", "            arm: not asked yet",
                "clock       5 min behind Azure's", "keys        6 of jwks, confirmed 2 h ago",
                "accounts    3 enrolled, 0 retired", "now         0 sessions, 0 administrators",
                "last hour   12 allowed, 7 denied: certificate 5, role-not-assigned 2",
            ]
        )
    }

    @Test("What the audit system was told of is a line, and its absence too; nothing where it is switched off")
    func audit() {
        var report = report
        report.audit = AuditReport()
        report.audit?.handedOver = 4
        #expect(text.lines(report).last == "audit       4 events, 0 dropped")
        report.audit?.isPresent = false
        report.audit?.lastError = "No such file or directory (errno 2)"
        #expect(text.lines(report).last == "audit       gets nothing: entralogin-audit.socket is not there")
    }

    @Test("P15: records that wait for the journal or are lost are a line; where none are, nothing is said")
    func records() {
        var report = report
        report.records = RecordsReport()
        #expect(!text.lines(report).contains { $0.hasPrefix("records") })
        report.records = RecordsReport(waiting: 1024, waitingSeconds: 9, lost: 3)
        #expect(text.lines(report).last == "records     1024 wait for the journal, 3 lost")
    }

    @Test("What does not work is said once, in its warning, and elsewhere by its code only")
    func degraded() {
        var report = report
        report.degraded = ["The application is missing: imds: no service principal"]
        report.stackRefusal = "/etc/pam.d/sshd has changed"
        report.checkers[0] = CheckerReport(
            name: "pas",
            state: "set-aside",
            lastError: "application-missing: imds: no service principal",
            lastErrorCode: "application-missing"
        )
        report.warnings = [
            ReportedWarning(
                id: WarningID(rawValue: "application-missing"),
                isGrave: true,
                text: "The application is missing: imds: no service principal",
                remedy: "az ad sp create"
            )
        ]
        let lines = text.lines(report)
        #expect(lines[0].hasPrefix("daemon      degraded"))
        #expect(lines.contains("sign-in     off: /etc/pam.d/sshd has changed"))
        #expect(lines.contains("checkers    pas: passed over; application-missing"))
        #expect(lines.count { $0.contains("no service principal") } == 1)
        #expect(
            lines.suffix(2) == [
                "FAILED      The application is missing: imds: no service principal", "  do        az ad sp create",
            ]
        )
    }

    @Test("Colours only where there are any")
    func colours() {
        #expect(text.lines(report).allSatisfy { !$0.contains("\u{1b}") })
        let painted = StatusText(style: Style(hasColours: true), now: Self.now).lines(report)
        #expect(painted[1] == "sign-in     \u{1b}[32mon: the integration is verified\u{1b}[0m")
    }
}
