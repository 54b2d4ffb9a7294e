// SPDX-License-Identifier: Apache-2.0

import Testing
import Wire

@testable import entraloginctl

struct MetricsTests {
    private var report: StatusReport {
        var report = StatusReport(version: "0.1.0", startedAt: 1_700_000_000, isReady: true)
        report.outcomes = [
            OutcomeReport(event: "account", decision: "allow", reason: nil, count: 3),
            OutcomeReport(event: "account", decision: "deny", reason: "role-not-assigned", count: 2),
        ]
        report.checkers = [CheckerReport(name: "pas", state: "ready", lastLatencyMilliseconds: 84)]
        report.tokens = [TokenReport(audience: "a\"b\\c", expiresAt: 1_700_003_600)]
        report.confirmations = ConfirmationsReport()
        report.confirmations?.overruled = 3
        report.keys.count = 2
        report.clockAheadSeconds = -3
        report.audit = AuditReport()
        report.audit?.dropped = 7
        report.records = RecordsReport(waiting: 2, waitingSeconds: 9, lost: 5)
        report.warnings = [ReportedWarning(id: .cloud, isGrave: false, text: "t", remedy: "r")]
        return report
    }

    @Test("Counters, gauges and states are in the form of OpenMetrics, which ends with EOF")
    func form() {
        let lines = Metrics().text(of: report).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.suffix(2) == ["# EOF", ""])
        for line in [
            "entralogin_audit_events_total{outcome=\"handed-over\"} 0",
            "entralogin_audit_events_total{outcome=\"dropped\"} 7", "entralogin_up 1",
            "# TYPE entralogin_decisions counter", "entralogin_records_waiting 2", "entralogin_records_lost_total 5",
            "entralogin_decisions_total{event=\"account\",decision=\"deny\",reason=\"role-not-assigned\"} 2",
            "entralogin_checker{checker=\"pas\",entralogin_checker=\"ready\"} 1",
            "entralogin_checker{checker=\"pas\",entralogin_checker=\"failing\"} 0",
            "entralogin_checker_latency_seconds{checker=\"pas\"} 0.084",
            "entralogin_confirmations_total{outcome=\"overruled\"} 3",
            "entralogin_token_expiry_time_seconds{audience=\"a\\\"b\\\\c\"} 1700003600",
            "entralogin_clock_ahead_seconds -3", "entralogin_warnings{severity=\"warning\"} 1",
        ] {
            #expect(lines.contains(line[...]), "\(line)")
        }
    }

    @Test("Each family is typed once before its samples, and no other line is there")
    func families() {
        var types: Set<Substring> = []
        for line in Metrics().text(of: report).split(separator: "\n") where line != "# EOF" {
            if line.hasPrefix("# TYPE ") {
                #expect(types.insert(line.split(separator: " ")[2]).inserted)
            } else if !line.hasPrefix("# HELP ") {
                let name = line.prefix { $0 != "{" && $0 != " " }
                #expect(types.contains { name.hasPrefix($0) }, "\(line)")
                #expect(Double(line.split(separator: " ").last ?? "") != nil, "\(line)")
            }
        }
    }

    @Test("The textfile collector's form: its three types only, counters under their samples' names, the same samples")
    func textfile() {
        let openMetrics = Metrics().text(of: report).split(separator: "\n")
        let lines = Metrics(form: .textfile).text(of: report).split(separator: "\n")
        #expect(lines.filter { !$0.hasPrefix("#") } == openMetrics.filter { !$0.hasPrefix("#") })
        for line in lines where line.hasPrefix("# TYPE ") {
            #expect(["counter", "gauge", "untyped"].contains(line.split(separator: " ")[3]), "\(line)")
        }
        for line in [
            "# TYPE entralogin_decisions_total counter", "# TYPE entralogin_build_info gauge",
            "# TYPE entralogin_checker gauge",
        ] {
            #expect(lines.contains(line[...]), "\(line)")
        }
    }

    @Test("A daemon that does not answer is a metric, too")
    func down() {
        #expect(Metrics().text(of: nil).contains("entralogin_up 0\n# EOF\n"))
    }
}
