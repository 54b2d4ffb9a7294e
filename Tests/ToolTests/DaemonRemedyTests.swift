// SPDX-License-Identifier: Apache-2.0

import Integration
import Testing
import Wire

@testable import entraloginctl

/// What `doctor` finds in the daemon's report, and that the finding is gone after the remedy.
struct DaemonRemedyTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let id: String
        let severity: Severity
        /// Words of the remedy. After it the report is that of a machine without faults.
        let remedy: String
        let spoil: @Sendable (inout StatusReport) -> Void

        var testDescription: String { "\(id): \(remedy)" }

        init(
            _ id: String,
            _ severity: Severity,
            _ remedy: String,
            _ spoil: @escaping @Sendable (inout StatusReport) -> Void
        ) {
            self.id = id
            self.severity = severity
            self.remedy = remedy
            self.spoil = spoil
        }

        static func checker(_ state: String, _ remedy: String) -> Row {
            Row("daemon.checker.pas", .warning, remedy) { $0.checkers[0].state = state }
        }
    }

    static let rows: [Row] = [
        Row("daemon.version", .warning, "systemctl restart entralogind") { $0.version = "0" },
        Row("daemon.machine", .error, "no firewall rule or guest proxy agent") { $0.machine?.isFromDisk = true },
        Row("daemon.machine-unknown", .error, "no firewall rule or guest proxy agent") { $0.machine = nil },
        Row("daemon.no-authority-keys", .error, "Sources=file in [Keys]") { $0.keys.count = 0 },
        Row("daemon.keys-stale", .warning, "entraloginctl keys --refresh") { $0.keys.isStale = true },
        .checker("failing", "see that this machine reaches it"),
        .checker("untried", "wait a minute"),
        Row("daemon.clock", .error, "timedatectl set-ntp true") { $0.clockAheadSeconds = -600 },
        Row("daemon.clock", .warning, "timedatectl set-ntp true") { $0.clockAheadSeconds = 600 },
    ]

    private var well: StatusReport {
        var report = StatusReport(version: "1", startedAt: 0, isReady: true)
        report.machine = MachineReport(cloud: "c", kind: "vm", resource: "/subscriptions/x", tenant: "t", name: "web1")
        report.keys.count = 2
        report.clockAheadSeconds = 0
        report.checkers = [CheckerReport(name: "pas", state: "ready", lastLatencyMilliseconds: 12)]
        return report
    }

    private func wrong(_ report: StatusReport) -> [Finding] {
        DaemonFindings.findings(of: report, toolVersion: "1").filter { $0.severity > .note }
    }

    @Test(
        "P16: what is wrong with the daemon is found once, with its remedy; when that is done the finding is gone",
        arguments: rows
    )
    func remedies(row: Row) throws {
        var report = well
        row.spoil(&report)
        let found = wrong(report)
        try #require(found.map(\.id.text) == [row.id])
        #expect(found[0].severity == row.severity && found[0].remedy.contains(row.remedy), "\(found)")
        #expect(wrong(well).isEmpty)
    }
}
