// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration
internal import Settings
internal import Wire

// Ranges for rootless containers. The daemon is not asked: the files have the answer.

/// The JSON output of `subids`.
struct SubordinateIDsReport: Sendable, Encodable {
    struct Account: Sendable, Encodable {
        var name: String
        var first: UInt32?
        var last: UInt32?
        /// Why it has no range, or none that works; nil if it has one.
        var problem: String?
    }

    /// `SubordinateIDs=`.
    var isOn: Bool
    /// Why no account gets a range.
    var obstacle: String?
    var accounts: [Account] = []
    /// The number of ranges that no account has.
    var free: Int?
}

extension Tool {
    /// At most so many lines about accounts that got no range.
    private static let shown = 5

    /// Run by entralogin-subids.service at each change of the accounts. Says which got a range, and what is wrong.
    func writeSubordinateIDs() -> ExitStatus {
        let settings = self.settings
        guard settings.findings.isEmpty else {
            Output.complain(
                "entraloginctl: the settings cannot be read, so nobody gets subordinate ids; see entraloginctl doctor"
            )
            return .refused
        }
        guard settings.accounts.subordinateIDs else {
            Output.say("SubordinateIDs=no: nothing was written.")
            return .success
        }
        let ids = SubordinateIDs(
            numbers: settings.accounts.subordinateNumbers,
            shortNameDomain: settings.accounts.shortNames
        )
        do throws(SubordinateIDWriter.Failure) {
            let plan = try SubordinateIDWriter().write(ids, on: machine)
            for (name, outcome) in plan.outcomes {
                if case .gets(let range) = outcome { Output.say("\(name) has the subordinate ids \(range.written)") }
            }
            return complain(of: plan)
        } catch {
            Output.complain(printable("entraloginctl: nobody gets subordinate ids: \(error)"))
            return .refused
        }
    }

    private func complain(of plan: SubordinateIDPlan) -> ExitStatus {
        let refused = plan.outcomes.compactMap { name, outcome -> String? in
            guard case .refused(let refusal) = outcome else { return nil }
            return "\(name): \(refusal.text)"
        }
        for line in refused.prefix(Self.shown) { Output.complain(printable("entraloginctl: \(line)")) }
        if refused.count > Self.shown {
            Output.complain("entraloginctl: and \(refused.count - Self.shown) more accounts")
        }
        return refused.isEmpty ? .success : .refused
    }

    func subordinateIDs() -> ExitStatus {
        let accounts = settings.accounts
        var report = SubordinateIDsReport(isOn: accounts.subordinateIDs)
        do throws(SubordinateIDs.Obstacle) {
            let plan = try SubordinateIDs(
                numbers: accounts.subordinateNumbers,
                shortNameDomain: accounts.shortNames
            ).plan(on: machine)
            report.accounts = plan.outcomes.map { SubordinateIDsReport.Account($0, $1) }
            report.free = plan.freeCount
        } catch {
            report.obstacle = error.text
        }
        show(report) { lines(of: $0) }
        let isWell = report.obstacle == nil && report.accounts.allSatisfy { $0.problem == nil }
        return isWell || !report.isOn ? .success : .refused
    }

    /// From the account's line in /etc/subuid, also if entralogin did not write it; nil if there is none.
    func subordinateRange(of user: UserReport) -> String? {
        guard let text = try? machine.text(of: SubordinateIDPlan.userFile) else { return nil }
        let file = SubordinateIDFile(parsing: Array(text.utf8))
        return (file.lines(of: user.shortName ?? user.name).first ?? file.lines(of: String(user.uid)).first)?.range
            .written
    }

    private func lines(of report: SubordinateIDsReport) -> [String] {
        var lines: [String] = []
        if !report.isOn { lines.append("SubordinateIDs=no: accounts get no ranges by themselves.") }
        if let obstacle = report.obstacle {
            lines += Text.wrap(printable("Nobody gets any: \(obstacle)."), width: Style.width)
        }
        let rows = report.accounts.map { account in
            [account.name, account.range ?? "-", account.problem.map(printable) ?? ""]
        }
        return lines + (rows.isEmpty ? [] : Text.list(["NAME", "RANGE", ""], rows, style))
    }
}

extension SubordinateIDsReport.Account {
    fileprivate init(_ name: SystemName, _ outcome: SubordinateIDPlan.Outcome) {
        self.name = name.text
        switch outcome {
        case .has(let range): (first, last) = (range.lowerBound, range.upperBound)
        case .gets: problem = "has none yet"
        case .refused(let refusal): problem = refusal.text
        }
    }

    fileprivate var range: String? {
        guard let first, let last else { return nil }
        return "\(first)-\(last)"
    }
}

extension ClosedRange<UInt32> {
    fileprivate var written: String { "\(lowerBound)-\(upperBound)" }
}
