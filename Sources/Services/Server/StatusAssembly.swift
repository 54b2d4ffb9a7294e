// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import Identity
internal import Wire

/// Builds the status report: the state, what does not work, and what to do about it.
struct StatusAssembly: Sendable {
    let azure: AzureStatus
    let access: AccessStatus
    let accounts: AccountReport
    /// The number of administrators now.
    let grants: Int
    /// Why the integration is not verified; nil if it is.
    let stackRefusal: Denial?
    let now: UnixTime
    let startedAt: Int64
    let memoryBytes: Int64?
    /// The last disagreement of the checkers about a user.
    var dispute: RoleDispute?
    /// Nil if it is off.
    var audit: AuditReport?
    var records: RecordsReport?

    var report: StatusReport {
        var report = StatusReport(
            version: ProductVersion.text,
            startedAt: startedAt,
            isReady: azure.machine.machine != nil && access.keyring.keys > 0 && accounts.fault == nil
                && access.revocation?.fault == nil
        )
        report.machine = azure.machine.machine.map { machine in
            MachineReport(
                cloud: machine.cloud,
                kind: machine.kind.rawValue,
                resource: machine.resource.path,
                tenant: machine.tenant.description,
                name: machine.name,
                isFromDisk: azure.machine.isFromStore
            )
        }
        report.tokens = azure.tokens.map { token in
            TokenReport(
                audience: token.audience,
                expiresAt: token.remaining.map { now.adding(seconds: $0.components.seconds).seconds },
                lastError: token.fault.map(StatusAssembly.text),
                lastErrorCode: token.fault?.reason.rawValue
            )
        }
        report.checkers = azure.checkers.map(StatusAssembly.checker)
        report.directory = azure.directory.map(StatusAssembly.checker)
        report.confirmations = StatusAssembly.confirmations(azure.confirmations)
        report.keys = StatusAssembly.keys(access.keyring)
        report.accounts.enrolled = accounts.enrolled
        report.accounts.retired = accounts.retired
        report.accounts.shadowed = accounts.shadowed.prefix(100).map(\.text)
        report.grants = grants
        report.sessions = access.openSessions
        report.decisions = StatusAssembly.decisions(access.lastHour)
        report.outcomes = access.sinceStart.map { tally in
            OutcomeReport(event: tally.event, decision: tally.verdict, reason: tally.reason, count: tally.count)
        }
        report.stackRefusal = stackRefusal.map { $0.detail.isEmpty ? $0.text : $0.detail }
        report.clockAheadSeconds = azure.clockAheadSeconds
        report.audit = audit
        report.records = records
        report.memoryBytes = memoryBytes
        report.warnings =
            StatusWarnings(
                azure: azure,
                access: access,
                accounts: accounts,
                dispute: dispute,
                audit: audit,
                records: records
            ).all
        report.degraded = report.warnings.filter(\.isGrave).map(\.text)
        if let refusal = report.stackRefusal { report.degraded.append("the stack stamp does not hold: \(refusal)") }
        return report
    }

    /// The reason code and the details; the remedy is in the warnings.
    static func text(_ fault: AccessCheckFault) -> String {
        let particulars = DenialText.shorten(DenialText.clean(fault.particulars), to: 512)
        return particulars.isEmpty ? fault.reason.rawValue : "\(fault.reason.rawValue): \(particulars)"
    }

    private static func checker(_ checker: AzureStatus.Checker) -> CheckerReport {
        let state: (word: String, fault: AccessCheckFault?) =
            switch checker.standing {
            case .untried: ("untried", nil)
            case .serving: ("ready", nil)
            case .notServing(let fault, _): ("set-aside", fault)
            case .failing(let fault): ("failing", fault)
            }
        var report = CheckerReport(
            name: checker.name,
            state: state.word,
            lastLatencyMilliseconds: checker.latency.map(\.wholeMilliseconds),
            lastError: state.fault.map(text),
            lastErrorCode: state.fault?.reason.rawValue
        )
        report.lastAskedSecondsAgo = checker.age?.components.seconds
        return report
    }

    private static func confirmations(_ confirmations: AzureStatus.Confirmations) -> ConfirmationsReport {
        var report = ConfirmationsReport()
        report.isOn = confirmations.isOn
        report.agreed = confirmations.agreed
        report.overruled = confirmations.overruled
        report.notPermitted = confirmations.notPermitted
        report.unanswered = confirmations.unanswered
        report.lastError = confirmations.fault.map(text)
        report.lastErrorCode = confirmations.fault?.reason.rawValue
        report.lastOverruled = confirmations.lastOverruled?.description
        return report
    }

    private static func keys(_ keyring: AccessStatus.Keyring) -> KeysReport {
        var report = KeysReport()
        report.count = keyring.keys
        report.ageSeconds = keyring.age
        report.sources = keyring.sources.filter { $0.keys > 0 }.map(\.name)
        report.isStale = keyring.isStale
        report.vanished = keyring.vanished
        report.returned = keyring.returned
        let faults = keyring.sources.compactMap { source in source.fault.map { (source.name, $0) } }
        report.lastError = faults.first.map { "\($0.0): \(text($0.1))" }
        report.lastErrorCode = faults.first?.1.reason.rawValue
        return report
    }

    private static func decisions(_ tallies: [AccessStatus.Tally]) -> DecisionsReport {
        let stages: [RecordedEvent] = [.certificate, .account, .sessionOpened]
        var report = DecisionsReport()
        for tally in tallies where stages.contains(where: { $0.rawValue == tally.event }) {
            if tally.verdict == DecisionRecord.Verdict.deny.rawValue {
                report.denied[tally.reason ?? "unknown", default: 0] += tally.count
            } else if tally.event == RecordedEvent.account.rawValue {
                // A user who gets in passes every stage but is counted once; a refused user is refused at one of them.
                report.allowed += tally.count
            }
        }
        return report
    }
}

extension Duration {
    /// Rounded down.
    var wholeMilliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
