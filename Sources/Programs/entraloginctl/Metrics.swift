// SPDX-License-Identifier: Apache-2.0

internal import Wire

/// The status report as OpenMetrics text 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), or in the older
/// text format 0.0.4 of Prometheus. No user's name is in it.
struct Metrics: Sendable {
    /// The samples are the same in both.
    enum Form: Sendable {
        case openMetrics
        /// What node_exporter's textfile collector reads. It refuses a whole file because of a type that Prometheus
        /// lacks (`info`, `stateset`), and knows a counter only if its TYPE line has its samples' name (`_total`).
        case textfile
    }

    var form: Form = .openMetrics

    private struct Sample {
        var suffix = ""
        var labels: [(String, String)] = []
        var value: String
    }

    /// Nil where the daemon does not answer: `entralogin_up` is 0 then, and there is no other metric.
    func text(of report: StatusReport?) -> String {
        guard let report else { return family("up", "gauge", Self.helpUp, [Sample(value: "0")]) + "# EOF\n" }
        return [
            family("up", "gauge", Self.helpUp, [Sample(value: "1")]),
            family(
                "build",
                "info",
                "the daemon's version",
                [
                    Sample(suffix: "_info", labels: [("version", report.version)], value: "1")
                ]
            ),
            family("start_time_seconds", "gauge", "when the daemon started", [Sample(value: "\(report.startedAt)")]),
            family("ready", "gauge", "1 once machine, keys and accounts are known", [sample(report.isReady)]),
            family(
                "stack_verified",
                "gauge",
                "1 while the integration is verified: without it nobody signs in",
                [
                    sample(report.stackRefusal == nil)
                ]
            ),
            family("decisions", "counter", "decisions since the start, by event and reason", outcomes(report)),
            people(report), azure(report), warnings(report), audit(report.audit), records(report.records),
            family("resident_memory_bytes", "gauge", "the daemon's memory", optional(report.memoryBytes)),
            "# EOF\n",
        ].joined()
    }

    private static let helpUp = "1 where the daemon answers"

    private func outcomes(_ report: StatusReport) -> [Sample] {
        report.outcomes.map { outcome in
            var labels = [("event", outcome.event), ("decision", outcome.decision)]
            labels.append(("reason", outcome.reason ?? ""))
            return Sample(suffix: "_total", labels: labels, value: "\(outcome.count)")
        }
    }

    private func people(_ report: StatusReport) -> String {
        let accounts = [("enrolled", report.accounts.enrolled), ("retired", report.accounts.retired)]
        return family(
            "accounts",
            "gauge",
            "accounts by state",
            accounts.map { state, count in
                Sample(labels: [("state", state)], value: "\(count)")
            }
        )
            + family("sessions", "gauge", "open sessions over SSH", [Sample(value: "\(report.sessions)")])
            + family(
                "administrators",
                "gauge",
                "memberships of the administrators' group",
                [
                    Sample(value: "\(report.grants)")
                ]
            )
    }

    private func azure(_ report: StatusReport) -> String {
        let tokens = report.tokens.compactMap { token in
            token.expiresAt.map { Sample(labels: [("audience", token.audience)], value: "\($0)") }
        }
        let states = report.checkers.flatMap { checker in
            ["ready", "untried", "set-aside", "failing"].map { state in
                Sample(
                    labels: [("checker", checker.name), ("checker_state", state)],
                    value: state == checker.state ? "1" : "0"
                )
            }
        }
        let latencies = report.checkers.compactMap { checker in
            checker.lastLatencyMilliseconds.map { latency in
                Sample(labels: [("checker", checker.name)], value: seconds(latency))
            }
        }
        return family("keys", "gauge", "Entra's signing keys that are trusted", [Sample(value: "\(report.keys.count)")])
            + family("keys_age_seconds", "gauge", "since a source confirmed them", optional(report.keys.ageSeconds))
            + family(
                "keys_vanished",
                "counter",
                "how often a source left out a key that it had listed",
                [Sample(suffix: "_total", value: "\(report.keys.vanished)")]
            )
            + family(
                "keys_returned",
                "counter",
                "how often a source listed such a key again",
                [Sample(suffix: "_total", value: "\(report.keys.returned)")]
            )
            + family("token_expiry_time_seconds", "gauge", "when the machine's token ends", tokens)
            + family(
                "checker",
                "stateset",
                "how each access checker fares",
                states.map { sample in
                    // A state set's samples carry the set's own name as the label of the state.
                    var sample = sample
                    sample.labels[1].0 = "entralogin_checker"
                    return sample
                }
            )
            + family(
                "confirmations",
                "counter",
                "refusals that role assignments were asked to confirm, since the start",
                confirmations(report.confirmations)
            )
            + family("checker_latency_seconds", "gauge", "of its last answer", latencies)
            + family("clock_ahead_seconds", "gauge", "this clock against Azure's", optional(report.clockAheadSeconds))
    }

    private func confirmations(_ report: ConfirmationsReport?) -> [Sample] {
        guard let report else { return [] }
        return [
            ("agreed", report.agreed), ("overruled", report.overruled), ("not-permitted", report.notPermitted),
            ("unanswered", report.unanswered),
        ].map { Sample(suffix: "_total", labels: [("outcome", $0.0)], value: "\($0.1)") }
    }

    private func audit(_ audit: AuditReport?) -> String {
        let counts = audit.map { [("handed-over", $0.handedOver), ("dropped", $0.dropped)] } ?? []
        return family(
            "audit_events",
            "counter",
            "events for the Linux audit system since the start",
            counts.map { Sample(suffix: "_total", labels: [("outcome", $0.0)], value: "\($0.1)") }
        )
    }

    private func records(_ records: RecordsReport?) -> String {
        let waiting = records.map { [Sample(value: "\($0.waiting)")] } ?? []
        let lost = records.map { [Sample(suffix: "_total", value: "\($0.lost)")] } ?? []
        return family("records_waiting", "gauge", "records that wait for the journal", waiting)
            + family("records_lost", "counter", "records lost since the start", lost)
    }

    private func warnings(_ report: StatusReport) -> String {
        let grave = report.warnings.count(where: \.isGrave)
        return family(
            "warnings",
            "gauge",
            "what status warns of",
            [
                Sample(labels: [("severity", "grave")], value: "\(grave)"),
                Sample(labels: [("severity", "warning")], value: "\(report.warnings.count - grave)"),
            ]
        )
    }

    private func sample(_ truth: Bool) -> Sample { Sample(value: truth ? "1" : "0") }

    private func optional(_ number: Int64?) -> [Sample] { number.map { [Sample(value: "\($0)")] } ?? [] }

    private func seconds(_ milliseconds: Int64) -> String {
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// Empty where there is no sample.
    private func family(_ name: String, _ type: String, _ help: String, _ samples: [Sample]) -> String {
        guard !samples.isEmpty else { return "" }
        let name = "entralogin_\(name)"
        let described = described(name, type)
        let lines = samples.map { sample in
            let labels = sample.labels.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
            return "\(name)\(sample.suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(sample.value)\n"
        }
        return "# TYPE \(described.name) \(described.type)\n# HELP \(described.name) \(help)\n" + lines.joined()
    }

    private func described(_ name: String, _ type: String) -> (name: String, type: String) {
        switch (form, type) {
        case (.textfile, "counter"): ("\(name)_total", type)
        case (.textfile, "info"): ("\(name)_info", "gauge")
        case (.textfile, "stateset"): (name, "gauge")
        default: (name, type)
        }
    }

    private func escaped(_ text: String) -> String {
        printable(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
