// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Integration
internal import Wire

// What is asked of Azure or of the daemon now; it lets nobody in.

extension Tool {
    func check(_ name: String, _ objectID: ObjectID?, needsAdministrator: Bool) throws(DaemonError) -> ExitStatus {
        let request = Request.check(name, objectID: objectID?.description ?? "")
        let report = try ask(request, for: RoleCheckReport.self)
        let needed: Role = needsAdministrator ? .administrator : .user
        show(report) { ChecksText(style: style, now: now).check($0, needed: needed) }
        return ChecksText.isEnough(report, needed: needed) ? .success : .refused
    }

    func sessions() throws(DaemonError) -> ExitStatus {
        show(try ask(.sessions, for: SessionsReport.self)) { ChecksText(style: style, now: now).sessions($0) }
        return .success
    }

    /// Refused if a process of the account still runs, or if none could be ended at all. `again`: the daemon has ended
    /// the earlier processes already, so this counts those that came since.
    func endSessions(_ name: String, again: Bool = false) throws(DaemonError) -> ExitStatus {
        let response = try client.ask(.endSessions(name))
        if case .refused(let refusal) = response { return complain(refusal) }
        let report = try read(response, as: EndedSessionsReport.self)
        show(report) { ChecksText(style: style, now: now).ended($0, again: again) }
        return report.left == 0 ? .success : .refused
    }

    /// `publish` alone does not ask the daemon.
    func keys(refresh: Bool, publish: Bool) throws(DaemonError) -> ExitStatus {
        guard publish else { return try keys(refreshed: refresh) }
        let fetched = refresh ? try keys(refreshed: true) : .success
        let published = publishKeys()
        return published == .success ? fetched : published
    }

    /// Refused where there is no key, or where a source could not be fetched.
    private func keys(refreshed: Bool) throws(DaemonError) -> ExitStatus {
        let report = try ask(refreshed ? .refreshKeys : .keys, for: KeyListReport.self)
        show(report) { ChecksText(style: style, now: now).keys($0) }
        return report.keys.isEmpty || report.faults?.isEmpty == false ? .refused : .success
    }

    /// Run by entralogin-keys.service at each change, so it prints nothing where all is well.
    func publishKeys() -> ExitStatus {
        do throws(AuthorityCopy.Refusal) {
            try AuthorityCopy().publish(owner: AuthorityCopy.daemonUID())
            return .success
        } catch {
            Output.complain("sshd keeps the CA keys that it has: \(error.text)")
            return .refused
        }
    }

    /// Checks all that a sign-in checks, without one: the certificate, the name, the role of the certificate's object.
    func test(_ file: String, user: String?) throws(DaemonError) -> ExitStatus {
        guard let line = certificate(in: file) else { return .usage }
        let certificate = try ask(
            .testCertificate(user: user ?? "", certificate: line),
            for: CertificateReport.self
        )
        let name = user ?? certificate.principals.first ?? ""
        var report = TrialReport(certificate: certificate)
        report.explanation = try explanation(of: name)
        report.boundObjectID = (try? ask(.showUser(name), for: UserReport.self))?.objectID
        if certificate.isAcceptable, let objectID = certificate.objectID {
            report.roleCheck = try ask(.check(name, objectID: objectID), for: RoleCheckReport.self)
        }
        report.conclude()
        show(report) { TrialText(style: style, now: now).lines($0) }
        return report.wouldGetIn ? .success : .refused
    }
}

/// `test FILE`.
struct TrialReport: Sendable, Codable {
    var certificate: CertificateReport
    /// What this machine would do with the name; nil where the certificate names none.
    var explanation: Explanation?
    /// The object id of the account with that name; nil where there is none.
    var boundObjectID: String?
    /// Nil where the certificate is not acceptable: Azure is not asked then.
    var roleCheck: RoleCheckReport?
    var wouldGetIn = false

    init(certificate: CertificateReport) { self.certificate = certificate }

    /// All of them must say yes; the role is Azure's answer about the certificate's object id.
    mutating func conclude() {
        // P5: a name belongs to one object for ever.
        let isSamePerson = boundObjectID == nil || boundObjectID == certificate.objectID
        let isNameGood = explanation.map { $0.steps.allSatisfy { $0.outcome != .refused } } ?? false
        wouldGetIn =
            certificate.isAcceptable && isNameGood && isSamePerson
            && (roleCheck.map { ChecksText.isEnough($0, needed: .user) } ?? false)
    }
}

/// The trial as text: the conclusion first.
struct TrialText: Sendable {
    let style: Style
    let now: Int64

    func lines(_ report: TrialReport) -> [String] {
        let answer = report.wouldGetIn ? "This sign-in would succeed" : "This sign-in would be refused"
        var lines = [style.paint(answer, report.wouldGetIn ? .good : .bad), ""]
        let reports = ReportText(style: style, now: now)
        lines += [style.paint("Certificate", .strong)] + reports.certificate(report.certificate)
        if let bound = report.boundObjectID, bound != report.certificate.objectID {
            lines += ["", style.paint("The name belongs to object id \(bound) here.", .bad)]
        }
        if let explanation = report.explanation {
            lines += ["", style.paint("Account", .strong)] + reports.steps(of: explanation)
        }
        if let check = report.roleCheck {
            lines +=
                ["", style.paint("Role", .strong)] + ChecksText(style: style, now: now).check(check, needed: .user)
        }
        return lines
    }
}
