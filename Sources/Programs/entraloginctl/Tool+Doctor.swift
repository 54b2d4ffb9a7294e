// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Doctor
internal import Identity
internal import Integration
internal import Settings
internal import Wire

extension Tool {
    /// The integration first, then the machine around it, then what the daemon knows, or that it does not answer.
    func doctor() -> ExitStatus {
        let settings = self.settings
        let verdict = stampWriter(for: settings).check()
        let off = IntegrationOff.finding(machine)
        var integration = verdict.findings + unfinishedFindings()
        if verdict.holds { integration += evaluateStamp() }
        var around = machineCheck(settings, verdict.sudoers).run()
        around += WritableFilesRule(verdict.restsOn).evaluate(machine)
        var daemon = evaluateSettings(settings) + daemonFindings(settings)
        if let off {
            let isOthers = { (finding: Finding) in !IntegrationOff.isConsequence(finding) }
            integration = [off] + setupFindings() + integration.filter(isOthers)
            around = around.filter(isOthers)
            // A daemon that was never started is not a second cause.
            daemon = daemon.filter { $0.id != .daemon || $0.severity == .good }
        } else if !verdict.holds {
            integration += setupFindings()
        }
        let sections = [("Integration", integration), ("Machine", around), ("Daemon", daemon)]
        let text = FindingsText(style: style)
        let report = FindingsReport(sections.flatMap(\.1))
        show(report) { report in
            sections.flatMap { text.section($0.0, $0.1) + [""] } + [text.conclusion(report.findings)]
        }
        return report.exitStatus
    }

    func machineCheck(_ settings: ToolSettings, _ sudoers: SudoersReview? = nil) -> MachineCheck {
        let devices = settings.devices
        let accounts = settings.accounts
        return MachineCheck(
            on: machine,
            domain: settings.domain,
            usersGroup: accounts.usersGroup,
            administratorsGroup: accounts.administratorsGroup,
            deviceServices: devices.clientID == nil ? [] : devices.services.map(\.rawValue),
            deviceLimit: devices.limit.components.seconds,
            numbers: accounts.numbers,
            // Asked only if step-up is on: each question waits for a daemon that hangs.
            administrator: devices.clientID == nil ? nil : administratorNow(),
            sudoers: sudoers,
            newAccounts: settings.findings.isEmpty
                ? MachineCheck.NewAccounts(
                    shell: accounts.shell,
                    shellPlace: settings.place(of: "Accounts.Shell"),
                    homeTemplate: accounts.homeTemplate.text,
                    overrides: settings.overrides
                ) : nil,
            domains: accounts.domains,
            givesSubordinateIDs: accounts.subordinateIDs,
            subordinateNumbers: accounts.subordinateNumbers,
            shortNameDomain: accounts.shortNames
        )
    }

    private func evaluateStamp() -> [Finding] {
        guard let problem = StackStampReader(version: ProductVersion.text).problem ?? unreadableStamp() else {
            return []
        }
        return [
            Finding(
                .stamp,
                .error,
                "the integration is right, but the daemon does not read that: \(problem)",
                remedy: "entraloginctl stack --stamp; entralogin-stack.path does it by itself where systemd runs"
            )
        ]
    }

    /// Root can read every file, but the daemon is not root.
    private func unreadableStamp() -> String? {
        guard let status = try? machine.status(of: VerifiedStack.path), status.mode & 0o004 == 0 else { return nil }
        return "\(VerifiedStack.path) has mode \(String(status.mode, radix: 8))"
    }

    /// The settings as this process reads them, and as the daemon does.
    private func evaluateSettings(_ settings: ToolSettings) -> [Finding] {
        guard settings.findings.isEmpty else { return settings.findings }
        return settings.remarks + SettingsRule(secrets: settings.secrets).evaluate(machine)
            + SignInSettingsRule(settings: settings).evaluate()
    }

    private func daemonFindings(_ settings: ToolSettings) -> [Finding] {
        let rule = EnrolledAccountsRule(
            on: machine,
            domains: settings.accounts.domains,
            homeTemplate: settings.accounts.homeTemplate.text,
            shortNameDomain: settings.accounts.shortNames
        )
        let accounts = rule.evaluate()
        do throws(DaemonError) {
            let report = try statusAfterAsking()
            let tenant = report.machine?.tenant
            let findings = DaemonFindings.findings(of: report, toolVersion: ProductVersion.text).map { finding in
                // The administrator has set this tenant; it is only a note once an account of that tenant is enrolled.
                guard finding.id == .daemon(warning: WarningID.tenantSetting.rawValue), let tenant,
                    rule.isTenantOfSome(tenant)
                else {
                    return finding
                }
                var finding = finding
                finding.severity = .note
                return finding
            }
            return accounts + (tenant.map(rule.evaluate(tenant:)) ?? []) + findings.map(settings.fitting)
        } catch {
            return accounts + [DaemonFindings.finding(of: error)]
        }
    }

    /// An object id that no user has: any answer about it shows that identity, token and role service work.
    private static let nobody = "00000000-0000-0000-0000-000000000000"
    /// Seconds. An answer that is not older is as good as a new one.
    private static let recently: Int64 = 30

    /// What the daemon reports after each checker has been asked recently.
    func statusAfterAsking() throws(DaemonError) -> StatusReport {
        let report = try ask(.statusReport, for: StatusReport.self)
        let isFresh = report.checkers.allSatisfy { checker in
            checker.state == "ready" && checker.lastAskedSecondsAgo.map { $0 <= Tool.recently } ?? false
        }
        guard !isFresh else { return report }
        // If it cannot be asked, the report says why.
        _ = try? ask(.check("doctor", objectID: Tool.nobody), for: RoleCheckReport.self)
        return (try? ask(.statusReport, for: StatusReport.self)) ?? report
    }
}

extension ToolSettings {
    /// The same finding, with a remedy that takes the settings into account.
    func fitting(_ finding: Finding) -> Finding {
        var finding = finding
        if finding.id == .daemon(warning: DenialReason.noManagedIdentity.rawValue), let client = azure.clientID {
            finding.place = place(of: "Azure.ClientID")
            finding.remedy = "ClientID= names the identity \(client): give it to this machine, or take ClientID= away"
        } else if azure.proxy != nil, finding.severity > .good, AdministratorRemedy.namesProxy(finding.remedy) {
            let place = place(of: "Azure.Proxy").map { " (\($0))" } ?? ""
            finding.remedy =
                "see first that the proxy that is set\(place) answers and lets these hosts through; \(finding.remedy)"
        }
        return finding
    }
}
