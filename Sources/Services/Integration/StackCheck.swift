// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// The complete result of this machine's integration check.
package struct StackVerdict: Sendable {
    package let findings: [Finding]
    /// Every file and folder that the result rests on; the stamp records them.
    package let restsOn: [String]
    /// The sshd that listens now, where there is one: see `SSHDListener`.
    let listener: SSHDListener?
    package let sudoers: SudoersReview

    /// True where administrators sign in as users, without sudo.
    var withholdsAdministrators: Bool { sudoers.withheld != nil }

    /// True where nothing prevents signing in.
    package var holds: Bool { !findings.contains { $0.severity == .error } }
}

/// Checks sshd, PAM, the name service and entralogin's own files; changes nothing. Needs root: `sshd -T` reads host
/// keys.
package struct StackCheck: Sendable {
    package static let sshdPrograms = ["/usr/sbin/sshd", "/usr/bin/sshd", "/usr/local/sbin/sshd"]

    /// For `sshd -T -C`, with a local address and port: without them, sshd refuses a configuration that has `Match
    /// LocalPort` or `Match LocalAddress` anywhere (sshd(8)).
    package static func connection(of user: String) -> String {
        "user=\(user),host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22"
    }

    private let machine: any HostView
    /// Names to test with; they need not exist.
    private let probes: [(kind: String, name: String)]
    /// The other domains of `Domains=`.
    private let otherDomains: [String]
    /// A listener that has read a valid configuration, as an earlier check found.
    private let trusted: SSHDListener?
    private let numbers: NumbersRule
    private let administratorsGroup: String
    private let mappedGroups: [String]
    private let wasWithheld: Bool?
    private let hasShortNames: Bool

    /// `domain`: one of those that may sign in; `others`: the rest of `Domains=`; `numbers`: the range for new
    /// accounts; the administrators' group as the settings call it; the names of `[Groups]`; whether administrators
    /// were withheld before, where that is known; whether there are short names.
    package init(
        on machine: any HostView,
        domain: String = "contoso.com",
        others: [String] = [],
        numbers: ClosedRange<UInt32> = PosixID.userRange,
        administratorsGroup: String = "entra_admins",
        mappedGroups: [String] = [],
        trusting trusted: SSHDListener? = nil,
        wasWithheld: Bool? = nil,
        hasShortNames: Bool = false
    ) {
        self.hasShortNames = hasShortNames
        self.wasWithheld = wasWithheld
        self.machine = machine
        self.administratorsGroup = administratorsGroup
        self.mappedGroups = mappedGroups
        otherDomains = others.filter { $0 != domain }
        self.numbers = NumbersRule(numbers: numbers)
        self.trusted = trusted
        probes = [
            ("UPN", "entralogin-probe@\(domain)"), ("GUID", "00000000-0000-4000-8000-000000000000"),
        ]
    }

    package func run() -> StackVerdict {
        let daemon = evaluateSSHD()
        var findings = daemon.findings
        var files = daemon.files
        var rules = daemon.services.flatMap { [PAMRule.account($0), PAMRule.session($0)] }
        // What a former administrator could go on with: `sudo -i` may have a service of its own (sudoers(5),
        // pam_login_service).
        rules += PAMServices.stepUp.filter { service in
            PAMStack.folders.contains { machine.exists("\($0)/\(service)") }
        }.map { .account($0) }
        for rule in rules.indices { rules[rule].hasShortNames = hasShortNames }
        for rule in rules {
            let evaluated = rule.evaluate(machine)
            findings += evaluated.findings
            files += evaluated.files
        }
        let asked = askLibpam(rules.filter { $0.type == "account" }.map(\.service))
        findings += asked.findings + NameServiceRule(hasShortNames: hasShortNames).evaluate(machine)
        findings += numbers.configured(machine)
        if hasShortNames { findings += [ShortNameGroupRule().evaluate(machine)].compactMap(\.self) }
        files.append(NameServiceRule.path)
        let programs = ProgramFilesRule().evaluate(machine, loaded: asked.modules, hasShortNames: hasShortNames)
        let sudoers = SudoersReview(
            machine,
            administratorsGroup: administratorsGroup,
            mappedGroups: mappedGroups,
            wasWithheld: wasWithheld
        )
        findings += programs.findings + LocalAccountsRule().evaluate(machine) + [sudoers.withheld].compactMap(\.self)
        files += programs.files
        var seen: Set<String> = []
        return StackVerdict(
            findings: findings,
            restsOn: files.filter { seen.insert($0).inserted },
            listener: daemon.listener,
            sudoers: sudoers
        )
    }

    /// Why sshd's account stage would admit accounts that only entralogin's module refuses; empty where it asks that
    /// module. Nothing else of the integration is checked.
    package func accountStageErrors() -> [Finding] {
        evaluateSSHD().services.flatMap { service in
            var rule = PAMRule.account(service)
            let without = rule.evaluate(machine).findings.filter { $0.severity == .error }
            // These accounts have whole names, so the line's argument for short ones does no harm.
            rule.hasShortNames = true
            let with = rule.evaluate(machine).findings.filter { $0.severity == .error }
            return with.count < without.count ? with : without
        }
    }

    /// What libpam does with entralogin's line of each service, and the files that it loads as entralogin's module.
    private func askLibpam(_ services: [String]) -> (findings: [Finding], modules: [String]) {
        let outcomes = services.map { ($0, PAMTransaction.run($0, on: machine)) }
        let modules = Set(outcomes.flatMap { (try? $0.1.get().entraloginModules) ?? [] }).sorted()
        let findings = outcomes.map { service, outcome in
            let stack = try? PAMStack(service: service, type: "account", on: machine)
            let rule = PAMTransactionRule(installed: ProgramFilesRule.installedModule(machine), stack: stack)
            return rule.evaluate(service, outcome)
        }
        return (findings, modules)
    }

    private struct EvaluatedSSHD {
        var findings: [Finding]
        var files: [String]
        var listener: SSHDListener?
        /// The PAM services that sshd uses for Entra users.
        var services = ["sshd"]
    }

    private func evaluateSSHD() -> EvaluatedSSHD {
        let files = SSHDFiles(on: machine)
        let restsOn = files.files + files.folders.filter { machine.exists($0) }
        guard let program = StackCheck.sshdPrograms.first(where: { machine.exists($0) }) else {
            let missing = Finding(.sshd, .error, "sshd is not installed", remedy: "install openssh-server")
            return EvaluatedSSHD(findings: [missing], files: restsOn)
        }
        var findings = SSHDOrderRule.evaluate(
            files,
            hasDropIn: machine.exists(SSHDFiles.dropIn),
            hasShortNames: hasShortNames
        )
        let isUnread = SSHDOrderRule.isWholeBlockUnread(findings)
        var tried: [(kind: String, configuration: SSHDConfiguration)] = []
        for (kind, name) in probes {
            let result = machine.run(program, ["-T", "-C", StackCheck.connection(of: name)])
            guard result.status == 0 else {
                return EvaluatedSSHD(findings: findings + [refused(by: program, result.complaint)], files: restsOn)
            }
            tried.append((kind, SSHDConfiguration(result.output)))
        }
        let common = SSHDRule.evaluate(tried, lines: files.lines)
        // One cause is one finding: without the block, all that it sets is missing, but not UsePAM, which is elsewhere.
        findings +=
            isUnread
            ? common.filter { $0.severity != .error || $0.id == .sshd(keyword: "usepam") }
            : common + evaluateDomains(program, beside: tried.map(\.configuration))
        let pidFile = tried.first?.configuration.value(of: "pidfile")
        let listener = SSHDListener(pidFile: pidFile, on: machine)
        if let listener { findings.append(listener.evaluate(files.files, on: machine, trusting: trusted)) }
        // sshd_config(5), PAMServiceName: since OpenSSH 9.9, sshd may be configured to use another PAM service.
        let services = Set(tried.map { $0.configuration.value(of: "pamservicename") ?? "sshd" })
        return EvaluatedSSHD(findings: findings, files: restsOn, listener: listener, services: services.sorted())
    }

    /// Checks that accounts of the other domains that may sign in, or have signed in, meet the same lines.
    private func evaluateDomains(_ program: String, beside tried: [SSHDConfiguration]) -> [Finding] {
        let unmet = tried.map { SSHDRule.unmet(by: $0) }
        let rule = CoveredDomainsRule(common: unmet.dropFirst().reduce(unmet.first ?? []) { $0.intersection($1) })
        let covered: CoveredDomains
        do throws(CoveredDomains.Failure) {
            covered = try CoveredDomains(allowed: otherDomains, on: machine)
        } catch {
            // A block that covers every domain covers the unknown ones, too.
            let connection = StackCheck.connection(of: "entralogin-probe@any.invalid")
            let anywhere = machine.run(program, ["-T", "-C", connection])
            let uncovered = rule.evaluate("any.invalid", isEnrolled: true, SSHDConfiguration(anywhere.output))
            guard anywhere.status != 0 || uncovered != nil else { return [] }
            let remedy = "ls -l \(CoveredDomains.accounts); it is the daemon's file of accounts"
            return [Finding(.sshdDomains, .error, error.problem, place: CoveredDomains.accounts, remedy: remedy)]
        }
        let first = probes[0].name.split(separator: "@").last.map(String.init)
        let domains = covered.allowed + covered.enrolled.filter { !covered.allowed.contains($0) }
        return domains.filter { $0 != first }.compactMap { domain in
            let connection = StackCheck.connection(of: "entralogin-probe@\(domain)")
            let result = machine.run(program, ["-T", "-C", connection])
            // Where sshd refuses its configuration, the first domain's check has reported that.
            guard result.status == 0 else { return nil }
            let isEnrolled = covered.enrolled.contains(domain)
            return rule.evaluate(domain, isEnrolled: isEnrolled, SSHDConfiguration(result.output))
        }
    }

    private func refused(by program: String, _ complaint: String) -> Finding {
        let line = complaint.lines.first { !$0.isEmpty } ?? "no reason given"
        return Finding(
            .sshd,
            .error,
            "sshd refuses its configuration: \(line.filter { $0 != "\r" })",
            remedy: "\(program) -t shows it"
        )
    }
}
