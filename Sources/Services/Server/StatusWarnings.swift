// SPDX-License-Identifier: Apache-2.0

internal import AccessControl
internal import AccountDirectory
internal import Authorization
internal import AzureServices
internal import Identity
internal import Wire

/// The warnings that the machine's administrator should act on, in the parts' own words.
struct StatusWarnings {
    let azure: AzureStatus
    let access: AccessStatus
    let accounts: AccountReport
    var dispute: RoleDispute?
    var audit: AuditReport?
    var records: RecordsReport?
    /// In seconds: a journal that accepts nothing for this long is stuck.
    private static let longestWait: Int64 = 5

    /// One warning for each problem; where several parts met it, grave if it is grave for one of them.
    var all: [ReportedWarning] {
        let services = machine + keys + checkers + directory + memberships + confirmations
        let found = services + disputes + store + jobs + events + journal
        var ids: [WarningID: Int] = [:]
        var reported: [ReportedWarning] = []
        for warning in found {
            if let index = ids[warning.id], reported[index].text == warning.text {
                reported[index].isGrave = reported[index].isGrave || warning.isGrave
            } else {
                ids[warning.id] = reported.count
                reported.append(warning)
            }
        }
        return reported
    }

    private var machine: [ReportedWarning] {
        var warnings: [ReportedWarning] = []
        if let fault = azure.machine.fault {
            // No role is asked for on a machine that is known only from an earlier start (P1).
            let isKnown = azure.machine.machine != nil && !azure.machine.isFromStore
            warnings.append(warning(for: fault, isGrave: !isKnown))
        }
        if let remark = azure.machine.tenantRemark {
            warnings.append(
                ReportedWarning(
                    id: .tenantSetting,
                    isGrave: true,
                    text: remark,
                    remedy: "take TenantID= in [Azure] away, unless the metadata service is wrong; then"
                        + " systemctl restart entralogind"
                )
            )
        }
        // While a checker answers, no user waits for the token of one whose application is missing.
        let isServed = azure.checkers.contains { $0.standing == .serving }
        for fault in azure.tokens.compactMap(\.fault)
        where !warnings.contains(where: { $0.id == WarningID(fault.reason) }) {
            warnings.append(warning(for: fault, isGrave: !(isServed && fault.reason == .applicationMissing)))
        }
        if let remark = azure.remark {
            warnings.append(ReportedWarning(id: .cloud, isGrave: false, text: remark, remedy: "set PolicyEndpoint="))
        }
        return warnings
    }

    private var keys: [ReportedWarning] {
        let failing = access.keyring.sources.filter { $0.fault != nil }
        // Both documents come from one host: the second one's fault says no more than the first one's.
        let reported = failing.first?.name == "jwks" ? failing.filter { $0.name != "jwks-common" } : failing
        let faults = reported.compactMap { source in source.fault.map { "\(source.name): \(StatusAssembly.text($0))" } }
        let said = faults.isEmpty ? "" : " (\(faults.joined(separator: "; ")))"
        let remedy =
            reported.compactMap { $0.fault?.tellingCause?.remedy }.first
            ?? "see that this machine reaches Entra's sign-in host over HTTPS, or place keys by hand: Sources=file in [Keys]"
        var warnings: [ReportedWarning] = []
        // The metadata service names the tenant whose keys are fetched: while it is silent, that is the only fault.
        let areAsked = !(faults.isEmpty && azure.machine.machine == nil && azure.machine.fault != nil)
        if access.keyring.keys == 0, areAsked {
            warnings.append(
                ReportedWarning(
                    id: WarningID(.noAuthorityKeys),
                    isGrave: true,
                    text: "No Entra signing key is known: nobody can sign in with a certificate\(said)",
                    remedy: remedy
                )
            )
        } else if access.keyring.keys > 0, access.keyring.isStale {
            warnings.append(
                ReportedWarning(
                    id: .keysStale,
                    isGrave: false,
                    text: "Entra's signing keys were not confirmed for long\(said)",
                    remedy: remedy
                )
            )
        }
        if let fault = access.revocation?.fault {
            warnings.append(
                ReportedWarning(
                    id: WarningID(.revokedKeysUnusable),
                    isGrave: true,
                    text: "\(DenialReason.revokedKeysUnusable.text): \(fault)",
                    remedy: "put a KRL or a list of keys there that root owns and the user entralogin can read, "
                        + "or take RevokedKeys= away"
                )
            )
        }
        // Without a key there is nothing to publish.
        if access.keyring.keys > 0, !access.keyring.isPublished {
            warnings.append(
                ReportedWarning(
                    id: .keysNotPublished,
                    isGrave: true,
                    text: "sshd's copy of the CA keys is not what entralogind trusts",
                    remedy: "systemctl restart entralogin-keys.service, and see the space in /var/lib"
                )
            )
        }
        return warnings
    }

    private var checkers: [ReportedWarning] {
        let faults = azure.checkers.compactMap { checker -> AccessCheckFault? in
            switch checker.standing {
            case .notServing(let fault, _), .failing(let fault): fault
            case .untried, .serving: nil
            }
        }
        // While one checker serves, the faults of the others are not grave.
        let nobodyServes = !azure.checkers.isEmpty && faults.count == azure.checkers.count
        return faults.map { warning(for: $0, isGrave: nobodyServes) }
    }

    /// Without Graph's answer, users can sign in only by an earlier yes.
    private var directory: [ReportedWarning] {
        switch azure.directory?.standing {
        case .notServing(let fault, _), .failing(let fault): [warning(for: fault, isGrave: true)]
        case .untried, .serving, nil: []
        }
    }

    /// It keeps no user out, but memberships of Entra groups expire.
    private var memberships: [ReportedWarning] {
        switch azure.memberships?.standing {
        case .notServing(let fault, _), .failing(let fault):
            let facts = fault.particulars.isEmpty ? fault.reason.rawValue : fault.particulars
            return [
                ReportedWarning(
                    id: WarningID(fault.reason),
                    isGrave: false,
                    text:
                        "Microsoft Graph does not say who is in the groups of [Groups], and memberships run out: \(facts)",
                    remedy: AdministratorRemedy(machine: azure.machine.machine).text(for: fault)
                )
            ]
        case .untried, .serving, nil: return []
        }
    }

    /// The fault of the last confirmation.
    private var confirmations: [ReportedWarning] {
        guard let fault = azure.confirmations.fault else { return [] }
        let remedy = AdministratorRemedy(machine: azure.machine.machine).text(for: fault)
        if fault.reason == .roleUnconfirmed {
            return [
                ReportedWarning(
                    id: WarningID(fault.reason),
                    isGrave: true,
                    text: "a refusal could not be confirmed, so people whose role a group holds may be kept out:"
                        + " \(fault.particulars)",
                    remedy: remedy
                )
            ]
        }
        return [
            ReportedWarning(
                id: .refusalsUnconfirmed,
                isGrave: true,
                text: "refusals are not confirmed, so people whose role a group holds may be kept out:"
                    + " \(fault.particulars)",
                remedy: "\(remedy); or, with less rights, the role \(AdministratorRemedy.smallerRole); or"
                    + " ConfirmRefusals=no in [Azure]"
            )
        ]
    }

    private var disputes: [ReportedWarning] {
        guard let dispute else { return [] }
        return [
            ReportedWarning(
                id: .checkersDisagree,
                isGrave: false,
                text: "the access checkers disagree about \(dispute.objectID): \(dispute.text)",
                remedy: "the first answer in the order of AccessCheckers= counts, or what role assignments make of it;"
                    + " a new assignment takes minutes to be seen everywhere: entraloginctl check NAME again. Where"
                    + " only role assignments give a role, it is held through a group, and nothing needs to be done"
            )
        ]
    }

    private var store: [ReportedWarning] {
        var warnings: [ReportedWarning] = []
        if let fault = accounts.fault {
            warnings.append(
                ReportedWarning(
                    id: WarningID(.storeUnreadable),
                    isGrave: true,
                    text: fault,
                    remedy: "restore /var/lib/entralogin/accounts from a backup; until then no Entra account gets in"
                )
            )
        }
        let unwritten =
            accounts.enrolmentFaults.map { (text: $0, isGrave: true) } + accounts.warnings.map { ($0, false) }
        warnings += unwritten.map { text, isGrave in
            // Not always the disk of /var/lib: grants are published in /run.
            ReportedWarning(
                id: .disk,
                isGrave: isGrave,
                text: isGrave ? "nobody can sign in here for the first time: \(text)" : text,
                remedy: "fix what this line names; where a disk is full, make room on the disk of that file:"
                    + " df -h, df -i"
            )
        }
        if !accounts.shadowed.isEmpty {
            let names = accounts.shadowed.prefix(5).map(\.text).joined(separator: ", ")
            warnings.append(
                ReportedWarning(
                    id: .shadowed,
                    isGrave: true,
                    text: "local accounts or groups hide \(accounts.shadowed.count) Entra accounts: \(names)",
                    remedy: "rename the local ones, or retire the Entra accounts: entraloginctl users retire NAME"
                )
            )
        }
        if !accounts.shadowedGroups.isEmpty {
            warnings.append(
                ReportedWarning(
                    id: .shadowedGroup,
                    isGrave: false,
                    text:
                        "another user or group has the name \(accounts.shadowedGroups.joined(separator: " and ")): it wins",
                    remedy: "rename it, or set UsersGroup= and AdministratorsGroup=, or take another name in [Groups]"
                )
            )
        }
        return warnings
    }

    /// Jobs that nothing runs again, such as cron's @reboot jobs.
    private var jobs: [ReportedWarning] {
        let count = access.lastHour.filter { tally in
            tally.event == RecordedEvent.account.rawValue && tally.reason == DenialReason.noRecentDecision.rawValue
        }.reduce(0) { $0 + $1.count }
        guard count > 0 else { return [] }
        return [
            ReportedWarning(
                id: .jobsNotRun,
                isGrave: false,
                text:
                    "\(count) jobs of cron or at, or user managers, of Entra accounts were not started in the last hour,"
                    + " because no recent answer of Azure was known",
                remedy:
                    "journalctl -u entralogind ENTRALOGIN_REASON=no-recent-decision names them; run by hand what must"
                    + " not wait: cron runs @reboot jobs at boot only, at runs a job once"
            )
        ]
    }

    /// A missing socket is left to doctor: on a machine without systemd, nothing makes one.
    private var events: [ReportedWarning] {
        guard let audit, audit.isPresent, let error = audit.lastError else { return [] }
        return [
            ReportedWarning(
                id: .auditDropped,
                isGrave: false,
                text: "the Linux audit system did not get \(audit.dropped) events: \(error)",
                remedy: "systemctl status entralogin-audit.socket entralogin-audit; or Audit=no in [Log]"
            )
        ]
    }

    private var journal: [ReportedWarning] {
        guard let records, records.waiting > 0, records.waitingSeconds >= StatusWarnings.longestWait else { return [] }
        return [
            ReportedWarning(
                id: .journalStuck,
                isGrave: false,
                text: "the journal has taken no record for \(records.waitingSeconds) s: \(records.waiting) wait, "
                    + "\(records.lost) were lost since the start; sign-in goes on",
                remedy: "systemctl status systemd-journald; see that it runs and that its disk answers"
            )
        ]
    }

    private func warning(for fault: AccessCheckFault, isGrave: Bool) -> ReportedWarning {
        ReportedWarning(
            id: WarningID(fault.reason),
            isGrave: isGrave,
            text: AdministratorRemedy.sentence(fault),
            remedy: AdministratorRemedy(machine: azure.machine.machine).text(for: fault)
        )
    }
}
