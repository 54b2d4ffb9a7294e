// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import ByteCoding
internal import Doctor
internal import Identity
internal import Integration
internal import Settings
internal import Wire

/// The commands. What they need from outside is passed in.
struct Tool: Sendable {
    var client = DaemonClient()
    var machine: any EnvironmentView
    let isRoot: Bool
    let isJSON: Bool
    let style: Style
    /// Seconds since 1970.
    let now: Int64

    func run(_ command: Command) -> ExitStatus {
        switch command {
        case .help(let words):
            Output.say(words.isEmpty ? CommandTable.usage : CommandTable.help(of: words))
            return .success
        case .version:
            Output.say("entraloginctl \(ProductVersion.text)")
            return .success
        default:
            guard isRoot else { return fail(.notPermitted) }
            return runAsRoot(command)
        }
    }

    private func runAsRoot(_ command: Command) -> ExitStatus {
        do throws(DaemonError) {
            switch command {
            case .status: return try status()
            case .doctor: return lookingOnce.doctor()
            case .explain(let name): return try lookingOnce.explain(name)
            case .users(let command): return try users(command)
            case .checkCertificate(let file, let user): return try checkCertificate(file, user: user)
            case .stack(let stamp, let isUnattended): return stack(stamp: stamp, isUnattended: isUnattended)
            case .configurationLines(let program): return configurationLines(of: program)
            case .coveredDomains: return coveredDomains()
            case .setupObstacles: return setupObstacles()
            case .setup(let verb): return setup(verb)
            case .flush: return try flush()
            case .migrate(let package, let verb): return try migrate(from: package, verb)
            case .export: return try exportAccounts()
            case .auditAccounts(let file): return auditAccounts(allowing: file)
            case .config(let key): return config(key)
            case .check(let name, let objectID, let needsAdministrator):
                return try check(name, objectID, needsAdministrator: needsAdministrator)
            case .test(let file, let user): return try test(file, user: user)
            case .log(let name, let since): return log(name, since: since)
            case .sessions: return try sessions()
            case .endSessions(let name): return try endSessions(name)
            case .keys(let refresh, let publish): return try keys(refresh: refresh, publish: publish)
            case .subordinateIDs(let write): return write ? writeSubordinateIDs() : lookingOnce.subordinateIDs()
            case .metrics(let file): return metrics(to: file)
            case .report(let file): return report(to: file)
            case .access: return try access()
            case .help, .version: return .success
            }
        } catch {
            let status = fail(error)
            if error == .notFound {
                suggestAccounts(like: command.name)
                if case .check = command { Output.complain(Tool.askedByObject) }
            }
            return status
        }
    }

    /// For commands that evaluate many rules and change nothing.
    private var lookingOnce: Tool {
        var tool = self
        tool.machine = MemoizingMachine(machine)
        return tool
    }

    /// Asks "did you mean" if no account has the name.
    func suggestAccounts(like name: String?) {
        guard let name, let users = try? allUsers() else { return }
        let near = Suggestion.accounts(like: name, among: users.map(\.name))
        guard !near.isEmpty else { return }
        Output.complain("  did you mean \(printable(near.joined(separator: " or ")))?")
    }

    // MARK: what the daemon reports

    private func status() throws(DaemonError) -> ExitStatus {
        let report = try ask(.statusReport, for: StatusReport.self)
        show(report) { StatusText(style: style, now: now).lines($0) }
        let keepsOut = !report.isReady || report.stackRefusal != nil || report.warnings.contains(where: \.isGrave)
        return keepsOut ? .refused : .success
    }

    private func explain(_ name: String) throws(DaemonError) -> ExitStatus {
        let report = try explanation(of: name)
        show(report) { ReportText(style: style, now: now).explanation($0) }
        let isNoName = report.steps.contains { $0.subject == "name" && $0.outcome == .refused }
        if isNoName, report.isLocal != true { suggestAccounts(like: name) }
        return report.outcome == .refused && report.isLocal != true ? .refused : .success
    }

    private func checkCertificate(_ file: String, user: String?) throws(DaemonError) -> ExitStatus {
        guard let line = certificate(in: file) else { return .usage }
        let report = try ask(.testCertificate(user: user ?? "", certificate: line), for: CertificateReport.self)
        show(report) { ReportText(style: style, now: now).certificate($0) }
        return report.isAcceptable ? .success : .refused
    }

    /// The certificate in a file; nil, with a message, if there is none.
    func certificate(in file: String) -> String? {
        do throws(CertificateFileError) {
            return try CertificateFile(path: file).read()
        } catch {
            Output.complain("entraloginctl: \(printable(error.text))")
            return nil
        }
    }

    // MARK: what the daemon does

    private func flush() throws(DaemonError) -> ExitStatus {
        try expectDone(.flush, saying: "Cached decisions are forgotten.")
    }

    func expectDone(_ request: Request, saying text: String) throws(DaemonError) -> ExitStatus {
        switch try client.ask(request) {
        case .done:
            if isJSON { Output.say("{\"done\":true}") } else { Output.say(text) }
            return .success
        case .forbidden: throw .notPermitted
        case .notFound: throw .notFound
        case .refused(let refusal): return complain(refusal)
        case .unavailable: throw .unreachable("it cannot do that now; entraloginctl status says more")
        default: throw .misread
        }
    }

    func complain(_ refusal: WireRefusal) -> ExitStatus {
        let text = "entraloginctl: \(refusal.text) (\(refusal.reason))"
        Output.complain(Text.wrap(text, width: Style.width).joined(separator: "\n"))
        return .refused
    }

    // MARK: the integration

    /// `isUnattended`: for units. A failed check is no error while configure is at work: it records the result itself.
    private func stack(stamp: Bool, isUnattended: Bool) -> ExitStatus {
        let verdict: StackVerdict
        let writer = stampWriter(for: settings)
        do {
            verdict = stamp ? try writer.stamp() : writer.check()
        } catch {
            Output.complain("entraloginctl: the stamp cannot be written: \(error)")
            return .refused
        }
        if isUnattended, !verdict.holds, isBeingSetUp {
            Output.say("The integration is being set up; configure records the result at its end.")
            return .success
        }
        let text = FindingsText(style: style)
        let findings = verdict.findings + (verdict.holds || stamp ? [] : setupFindings())
        show(FindingsReport(findings)) { report in
            // The run at every start, and after each change of a file, says only what is wrong.
            let shown = stamp ? report.findings.filter { $0.severity >= .warning } : report.findings
            return (shown.isEmpty ? [] : text.section("Integration", shown) + [""])
                + [text.conclusion(report.findings, well: Tool.integrationIsRight)]
        }
        return verdict.holds ? .success : .refused
    }

    /// A user who was refused at the first sign-in has no account, but an object id that was seen.
    private static let askedByObject =
        "  --object-id ID asks about anybody; explain NAME and log NAME say whose certificate was refused"

    /// The check says nothing about the rest of the machine.
    private static let integrationIsRight =
        "The integration is right. For the rest: entraloginctl doctor"

    /// A user, signed in as an administrator, about whom sudo can be asked; a service principal cannot type a code.
    func administratorNow() -> String? {
        let report = try? ask(.sessions, for: SessionsReport.self)
        return report?.sessions.first { $0.isAdministrator && $0.name.contains("@") }?.name
    }

    func stampWriter(for settings: ToolSettings) -> StackStampWriter {
        StackStampWriter(
            on: machine,
            version: ProductVersion.text,
            domain: settings.domain,
            others: settings.accounts.domains,
            numbers: settings.accounts.numbers,
            administratorsGroup: settings.accounts.administratorsGroup,
            mappedGroups: settings.mappedGroups,
            hasShortNames: settings.accounts.shortNames != nil
        )
    }

    // MARK: settings

    private func config(_ key: String?) -> ExitStatus {
        let settings = self.settings
        guard !complains(of: settings.findings) else { return .refused }
        guard let key else {
            show(inForce(settings.report)) { ConfigText(style: style).lines($0) }
            return .success
        }
        guard let setting = settings.report.first(where: { $0.key == key }) else {
            let near = Suggestion.keys(like: key, among: settings.report.map(\.key))
            let ending = near.isEmpty ? "; entraloginctl config lists them" : Suggestion.question(near)
            Output.complain("entraloginctl: there is no setting \(printable(key))\(ending)")
            return .usage
        }
        // Scripts ask for one setting, and configure and units do before the daemon runs: this does not wait for it.
        if isJSON { show(setting) { _ in [] } } else { Output.say(setting.value) }
        return .success
    }

    /// Adds the daemon's value, if that is another one: a reload does not take every setting. Nothing is added if the
    /// daemon does not answer.
    private func inForce(_ settings: [SettingReport]) -> [SettingReport] {
        guard let held = try? ask(.settings, for: SettingsInForce.self).values else { return settings }
        return settings.map { setting in
            var setting = setting
            if let value = held[setting.key], value != setting.value { setting.inForce = value.isEmpty ? "-" : value }
            return setting
        }
    }

    /// The settings as far as they can be read, and what is wrong with them.
    var settings: ToolSettings {
        let read: EffectiveSettings
        let findings: [Finding]
        switch SettingsFiles().read() {
        case .settings(let settings): (read, findings) = (settings, [])
        case .flawed(let flaws): (read, findings) = (EffectiveSettings(), flaws)
        }
        return ToolSettings(read, findings)
    }

    private func complains(of findings: [Finding]) -> Bool {
        for finding in findings {
            Output.complain(printable("entraloginctl: \(finding.place ?? ""): \(finding.found)"))
        }
        return !findings.isEmpty
    }

    // MARK: for configure

    /// One line each: file, line number, keyword and rest, separated by tabs. Fails after them if a file is unreadable.
    private func configurationLines(of program: ReadingProgram) -> ExitStatus {
        let lines: [ConfigurationLine]
        let unreadable: String?
        switch program {
        case .sshd:
            let files = SSHDFiles(on: machine)
            (lines, unreadable) = (files.lines, files.unreadable)
        case .sudo:
            let files = SudoersFiles(on: machine)
            (lines, unreadable) = (files.lines, files.unreadable)
        }
        show(lines) { lines in
            lines.map { [$0.file, String($0.number), $0.keyword, $0.rest].map(printable).joined(separator: "\t") }
        }
        guard let unreadable else { return .success }
        Output.complain(printable("entraloginctl: \(unreadable): cannot be read"))
        return .refused
    }

    private func coveredDomains() -> ExitStatus {
        let settings = self.settings
        guard !complains(of: settings.findings) else { return .refused }
        do throws(CoveredDomains.Failure) {
            let covered = try CoveredDomains(allowed: settings.accounts.domains, on: machine)
            show(covered.words) { $0 }
            return .success
        } catch {
            Output.complain(printable("entraloginctl: \(error.problem)"))
            return .refused
        }
    }

    // MARK: common

    func ask<Report: Decodable>(_ request: Request, for type: Report.Type) throws(DaemonError) -> Report {
        try read(try client.ask(request), as: type)
    }

    func read<Report: Decodable>(_ response: Response, as type: Report.Type) throws(DaemonError) -> Report {
        switch response {
        case .document(let bytes):
            guard let report = try? JSON(parsing: bytes).decoded(as: type) else { throw .misread }
            return report
        case .forbidden: throw .notPermitted
        case .unavailable: throw .unreachable("it cannot say now")
        case .version: throw .otherVersion
        case .notFound: throw .notFound
        default: throw .misread
        }
    }

    func show<Report: Encodable>(_ report: Report, asText text: (Report) -> [String]) {
        guard isJSON else { return Output.say(text(report)) }
        guard let json = try? JSON(encoding: report) else {
            return Output.complain("entraloginctl: cannot be said in JSON")
        }
        Output.say(json.indented)
    }

    func fail(_ error: DaemonError) -> ExitStatus {
        let remedy = error.remedy.isEmpty ? "" : "\n  do: \(error.remedy)"
        Output.complain("entraloginctl: \(printable(error.text))\(remedy)")
        return error.exitStatus
    }
}

/// The JSON output of `doctor` and `stack`.
struct FindingsReport: Sendable, Encodable {
    /// True if nothing keeps users out.
    var isWell: Bool
    var findings: [Finding]

    init(_ findings: [Finding]) {
        self.findings = findings
        isWell = !findings.contains { $0.severity == .error }
    }

    /// By the most severe finding.
    var exitStatus: ExitStatus {
        switch findings.map(\.severity).max() {
        case .error: .refused
        case .warning: .warned
        case .note, .good, nil: .success
        }
    }
}

/// The settings that the tool uses.
struct ToolSettings {
    let report: [SettingReport]
    let accounts: Settings.Accounts
    let azure: Settings.Azure
    let devices: Settings.DeviceSignIn
    let signIn: Settings.SignIn
    /// The names of `[Groups]`.
    let mappedGroups: [String]
    /// The places of settings that contain a password: `file:line`.
    let secrets: [String]
    /// A domain whose users may sign in.
    let domain: String
    /// What is wrong with the settings; if anything is, all of them are the defaults.
    let findings: [Finding]
    /// Lines that no longer have an effect.
    let remarks: [Finding]

    /// `[Overrides]`, for `doctor`.
    var overrides: [OverriddenAccounts] {
        accounts.homeOverrides.map { entry in
            OverriddenAccounts(entry.who, .home(entry.value.text), place: place(of: "Overrides.Home"))
        }
            + accounts.shellOverrides.map { entry in
                OverriddenAccounts(entry.who, .shell(entry.value), place: place(of: "Overrides.Shell"))
            }
    }

    /// `file:line` of a setting, `Section.Key`; nil for a default.
    func place(of key: String) -> String? { report.first { $0.key == key }?.origin }

    init(_ read: EffectiveSettings, _ findings: [Finding]) {
        report = findings.isEmpty ? read.report : []
        accounts = read.values.accounts
        azure = read.values.azure
        devices = read.values.deviceSignIn
        signIn = read.values.signIn
        mappedGroups = read.values.groups.map(\.name)
        secrets = findings.isEmpty ? read.placesOfSecrets : []
        domain = accounts.domains.first ?? "contoso.com"
        self.findings = findings
        remarks = SettingsFiles.remarks(of: read)
    }
}
