// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Integration
internal import Wire

/// What a status report says, as findings for `doctor`. The daemon's own warnings come with their remedies; what it
/// only counts is evaluated here.
enum DaemonFindings {
    /// Entra's certificates begin five minutes before they are issued (azure.md, "The certificate"): a clock further
    /// behind than that refuses fresh ones.
    private static let clockLimit: Int64 = 240
    /// A certificate ends an hour after it was issued (azure.md, "The certificate"); with less than five minutes of
    /// that left hardly any sign-in succeeds.
    private static let shortestLife: Int64 = 3300

    static func findings(of report: StatusReport, toolVersion: String) -> [Finding] {
        // The daemon's warning knows the cause; a finding with the same id would only repeat it.
        let warned = Set(report.warnings.map { FindingID.daemon(warning: $0.id.rawValue) })
        var findings = [
            evaluateVersion(report.version, toolVersion), evaluateMachine(report.machine, report.warnings),
            evaluateKeys(report), clock(report.clockAheadSeconds), evaluateRoles(report),
            confirmations(report.confirmations),
        ].compactMap(\.self)
        findings = findings.filter { $0.severity <= .note || !warned.contains($0.id) }
        // While no role can be queried at all, one finding says so, and the checkers are left out.
        if report.machine.map({ !$0.isFromDisk }) ?? false {
            findings += (report.checkers + [report.directory].compactMap(\.self)).map { evaluate($0, warned) }
        }
        findings += report.warnings.map { warning in
            Finding(
                .daemon(warning: warning.id.rawValue),
                warning.isGrave ? .error : .warning,
                warning.text,
                remedy: warning.remedy
            )
        }
        return findings
    }

    /// The finding for a daemon that does not answer.
    static func finding(of error: DaemonError) -> Finding {
        Finding(.daemon, .error, error.text, remedy: error.remedy)
    }

    private static func evaluateVersion(_ daemon: String, _ tool: String) -> Finding {
        guard daemon != tool else { return Finding(.daemon, .good, "the daemon answers, version \(daemon)") }
        return Finding(
            .daemonVersion,
            .warning,
            "the daemon is version \(daemon), this tool \(tool)",
            remedy: "systemctl restart entralogind"
        )
    }

    /// Nil where a warning says why it is not known.
    private static func evaluateMachine(_ machine: MachineReport?, _ warnings: [ReportedWarning]) -> Finding? {
        guard let machine else {
            guard !warnings.contains(where: \.isGrave) else { return nil }
            return Finding(
                .daemonMachineUnknown,
                .error,
                "this machine does not know yet what it is in Azure",
                needed: "the metadata service at 169.254.169.254 open to the user entralogin",
                remedy: "wait a moment after a start; otherwise see that no firewall rule or guest proxy agent keeps it"
                    + " from users other than root"
            )
        }
        guard !machine.isFromDisk else {
            return Finding(
                .daemonMachine,
                .error,
                "the metadata service has not answered since the start, so nobody's role can be asked",
                needed: "the metadata service at 169.254.169.254 open to the user entralogin",
                remedy: "wait a moment after a start; otherwise see that no firewall rule or guest proxy agent keeps it"
                    + " from users other than root"
            )
        }
        return Finding(.daemonMachine, .good, "this is \(machine.name), tenant \(machine.tenant)")
    }

    private static func evaluateKeys(_ report: StatusReport) -> Finding {
        let keys = report.keys
        let age = keys.ageSeconds.map { ", \(Text.duration($0)) old" } ?? ""
        let why = keys.lastError.map { ": \($0)" } ?? ""
        // The metadata service names the tenant whose keys are fetched; a warning reports its fault.
        if keys.count == 0, keys.lastError == nil, report.machine == nil, report.warnings.contains(where: \.isGrave) {
            return Finding(.daemonKeys, .note, "Entra's signing keys are fetched once this machine's tenant is known")
        }
        if keys.count == 0 {
            return Finding(
                .daemonNoAuthorityKeys,
                .error,
                "no signing key of Entra is known\(why)",
                needed: "a way to the login host of this cloud, port 443",
                remedy: "see that the machine reaches it (proxy, DNS), or place keys by hand: Sources=file in [Keys]"
            )
        }
        if keys.isStale {
            return Finding(
                .daemonKeysStale,
                .warning,
                "the signing keys are stale\(age)\(why)",
                needed: "a way to the login host of this cloud, port 443",
                remedy: "entraloginctl keys --refresh fetches them now, and says what is in the way"
            )
        }
        return Finding(.daemonKeys, .good, "\(keys.count) signing key\(keys.count == 1 ? "" : "s") of Entra\(age)")
    }

    private static func evaluate(_ checker: CheckerReport, _ warned: Set<FindingID>) -> Finding {
        let id: FindingID = .daemon(checker: checker.name)
        switch checker.state {
        case "ready":
            let latency = checker.lastLatencyMilliseconds.map { " in \($0) ms" } ?? ""
            return Finding(id, .good, "\(checker.name) answers\(latency)")
        case "untried":
            return Finding(
                id,
                .warning,
                "\(checker.name) was not asked yet: whether it answers is not known",
                remedy: "wait a minute, then run entraloginctl doctor again"
            )
        default:
            let code = checker.lastErrorCode ?? "no reason given"
            let state = checker.state == "set-aside" ? "passed over" : checker.state
            guard !warned.contains(.daemon(warning: code)) else {
                return Finding(id, .note, "\(checker.name) is \(state): \(code), see below")
            }
            return Finding(
                id,
                .warning,
                "\(checker.name) is \(state): \(checker.lastError ?? code)",
                remedy: "see that this machine reaches it; then entraloginctl check NAME asks it again"
            )
        }
    }

    /// Refusals for want of a role, with the scopes at which a role counts: the machine and those above it.
    private static func evaluateRoles(_ report: StatusReport) -> Finding? {
        let code = DenialReason.roleNotAssigned.rawValue
        guard let count = report.decisions.denied[code], let machine = report.machine else { return nil }
        return Finding(
            .daemonRoleScope,
            .note,
            "Azure gave no role \(count == 1 ? "once" : "\(count) times") in the last hour:"
                + " journalctl -u entralogind ENTRALOGIN_REASON=\(code) says to whom",
            needed:
                "\(Role.user.builtInName) or \(Role.administrator.builtInName) at the machine, its resource group, its"
                + " subscription or a management group above; Owner and Contributor do not count",
            remedy: "az role assignment list --include-inherited --include-groups -o table --scope \(machine.resource)"
        )
    }

    /// Role assignments overruled a checker's refusal: the role is held through a group.
    private static func confirmations(_ report: ConfirmationsReport?) -> Finding? {
        guard let report, report.overruled > 0 else { return nil }
        let total = report.agreed + report.overruled
        let last = report.lastOverruled.map { ", the last for \($0)" } ?? ""
        return Finding(
            .daemonRefusalsOverruled,
            .note,
            "role assignments gave a role where the access checker gave none, in \(report.overruled) of \(total)"
                + " refusals\(last): roles held through groups",
            remedy: "nothing; AccessCheckers=arm-roleassignments in [Azure] asks them alone"
        )
    }

    static func clock(_ ahead: Int64?) -> Finding? {
        guard let ahead else { return nil }
        guard abs(ahead) > clockLimit else { return Finding(.daemonClock, .good, "the clock agrees with Azure's") }
        let distance = Text.duration(abs(ahead))
        let (severity, found): (Severity, String) =
            switch ahead {
            case ..<0:
                (.error, "the clock is \(distance) behind Azure's: fresh certificates are refused as not valid yet")
            case ..<shortestLife:
                (.warning, "the clock is \(distance) ahead of Azure's: certificates end that much earlier here")
            default: (.error, "the clock is \(distance) ahead of Azure's: certificates are refused as expired")
            }
        return Finding(
            .daemonClock,
            severity,
            found,
            remedy: "timedatectl set-ntp true; see that chronyd or systemd-timesyncd runs",
            keepsOut: severity == .error ? .everybody : nil
        )
    }
}
