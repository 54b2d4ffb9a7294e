// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration
internal import LinuxSystem
internal import Wire

// What was decided, and how often.

extension Tool {
    func log(_ name: String, since: String?) -> ExitStatus {
        let shown = UserName(folding: name)?.text ?? name
        let records: [LoggedDecision]
        do throws(PersonLog.Failure) {
            records = try PersonLog(runner: machine, daemonUID: daemonUID).records(of: shown, since: since)
        } catch {
            Output.complain("entraloginctl: \(printable(error.text))")
            return .refused
        }
        show(PersonLogReport(name: shown, records: records)) { LogText(style: style).lines($0, since: since) }
        return .success
    }

    /// From the local files: the daemon's user is always there.
    private var daemonUID: UInt32? {
        guard let passwd = try? machine.text(of: "/etc/passwd") else { return nil }
        return LocalAccounts.uid(of: "entralogin", in: Array(passwd.utf8))
    }

    /// A file is replaced as a whole, so that a collector never reads half of it. A daemon that does not answer is a
    /// metric, too.
    func metrics(to file: String?) -> ExitStatus {
        let report: StatusReport?
        let status: ExitStatus
        do throws(DaemonError) {
            report = try ask(.statusReport, for: StatusReport.self)
            status = .success
        } catch {
            if file == nil || error == .notPermitted { return fail(error) }
            (report, status) = (nil, error.exitStatus)
        }
        guard let file else {
            if isJSON { show(report) { _ in [] } } else { Output.write(Metrics().text(of: report)) }
            return status
        }
        do throws(FileError) {
            let text = Metrics(form: .textfile).text(of: report)
            try AtomicFile(file).replace(with: Array(text.utf8), mode: 0o644)
        } catch {
            Output.complain("entraloginctl: \(error)")
            return .refused
        }
        return status
    }
}
