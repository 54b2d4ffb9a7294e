// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// Evaluates the ranges for rootless containers where accounts get them (`SubordinateIDs=yes`). A fault keeps no user
/// out.
struct SubordinateIDsRule: Sendable {
    /// `SubordinateIDRange=`.
    let numbers: ClosedRange<UInt32>?
    /// `ShortNames=`.
    var shortNameDomain: String?

    private static let unit = "entralogin-subids.service"
    private static let again = "systemctl restart \(unit); journalctl -u \(unit)"
    private static let shown = 5

    func evaluate(_ machine: any EnvironmentView) -> [Finding] {
        let plan: SubordinateIDPlan
        let ids = SubordinateIDs(numbers: numbers, shortNameDomain: shortNameDomain)
        do throws(SubordinateIDs.Obstacle) { plan = try ids.plan(on: machine) } catch {
            return [obstacle(error)]
        }
        let found = refused(plan) + [missing(plan, machine), closed(machine), shared(plan, machine)].compactMap(\.self)
        guard found.isEmpty else { return found }
        return [
            Finding(
                .subids,
                .good,
                "all \(plan.outcomes.count) accounts have subordinate ids; \(plan.freeCount) ranges are free"
            )
        ]
    }

    private func obstacle(_ obstacle: SubordinateIDs.Obstacle) -> Finding {
        let (id, place): (FindingID, String) =
            switch obstacle {
            case .otherSource(_, let place): (.subidsSource, place)
            case .otherDirectory(_, let place): (.subidsDirectory, place)
            case .unreadable(let path): (.subidsMissing, path)
            }
        return Finding(
            id,
            .warning,
            "no account gets subordinate ids: \(obstacle.text)",
            place: place,
            needed: "numbers that are nobody's, in files that newuidmap reads",
            remedy: obstacle.remedy
        )
    }

    private func refused(_ plan: SubordinateIDPlan) -> [Finding] {
        let names = Dictionary(
            grouping: plan.outcomes.compactMap { name, outcome -> (SystemName, SubordinateIDPlan.Refusal)? in
                guard case .refused(let refusal) = outcome else { return nil }
                return (name, refusal)
            },
            by: \.1
        )
        return names.sorted { $0.key.text < $1.key.text }.map { refusal, accounts in
            let (id, place, remedy) = SubordinateIDsRule.what(refusal, numbers)
            return Finding(
                id,
                .warning,
                "\(SubordinateIDsRule.list(accounts.map(\.0))): \(refusal.text)",
                place: place,
                needed: "one range for each account, by its name, in both files",
                remedy: remedy
            )
        }
    }

    private static func what(
        _ refusal: SubordinateIDPlan.Refusal,
        _ numbers: ClosedRange<UInt32>?
    ) -> (FindingID, String?, String) {
        switch refusal {
        case .exhausted:
            let wider = numbers == nil ? "65536-1879048191" : "first-last"
            return (.subidsExhausted, nil, "SubordinateIDRange=\(wider) with more numbers that are free, then \(again)")
        case .twoForms:
            return (.subidsForms, SubordinateIDPlan.userFile, "take the lines by number out of both files")
        case .half(let path):
            return (.subidsHalf, path, "take the account's line out of \(path), then \(again)")
        }
    }

    /// Accounts that should have a range: root's program has not run, or could not write.
    private func missing(_ plan: SubordinateIDPlan, _ machine: any EnvironmentView) -> Finding? {
        let names = plan.outcomes.compactMap { name, outcome in if case .gets = outcome { name } else { nil } }
        guard !names.isEmpty else { return nil }
        let isReadOnly = machine.space(of: "/etc")?.isReadOnly == true
        let why = isReadOnly ? ": /etc is mounted read-only" : ""
        return Finding(
            .subidsMissing,
            .warning,
            "\(SubordinateIDsRule.list(names)): no subordinate ids yet\(why)",
            place: SubordinateIDPlan.userFile,
            needed: "one range for each account",
            remedy: isReadOnly
                ? "entraloginctl subids --write while /etc can be written; or SubordinateIDs=no"
                : "systemctl enable --now entralogin-subids.path; \(SubordinateIDsRule.again)"
        )
    }

    /// newuidmap runs as root and reads the file all the same; a program that runs as a user sees no lines.
    private func closed(_ machine: any EnvironmentView) -> Finding? {
        let paths = [SubordinateIDPlan.userFile, SubordinateIDPlan.groupFile].filter { path in
            (try? machine.status(of: path)).map { $0.mode & 0o004 == 0 } ?? false
        }
        guard let path = paths.first else { return nil }
        return Finding(
            .subidsMissing,
            .warning,
            "users cannot read \(paths.joined(separator: " and ")): podman finds no range, and a first sign-in does not wait for one",
            place: path,
            needed: "files that everybody may read, as useradd makes them",
            remedy: "chmod a+r \(paths.joined(separator: " "))"
        )
    }

    /// Numbers of an account's range that another owner's line has, too: each reads what the other's containers write.
    private func shared(_ plan: SubordinateIDPlan, _ machine: any EnvironmentView) -> Finding? {
        let names = Set(plan.outcomes.map(\.name.text))
        for (path, file) in [(SubordinateIDPlan.userFile, plan.users), (SubordinateIDPlan.groupFile, plan.groups)] {
            let lines = file.lines.sorted { $0.range.lowerBound < $1.range.lowerBound }
            var last: SubordinateIDFile.Line?
            for line in lines {
                if let before = last, before.range.overlaps(line.range), before.owner != line.owner,
                    names.contains(before.owner) || names.contains(line.owner)
                {
                    return shared(before.owner, line.owner, path)
                }
                if last.map({ $0.range.upperBound < line.range.upperBound }) ?? true { last = line }
            }
        }
        return nil
    }

    private func shared(_ first: String, _ second: String, _ path: String) -> Finding {
        Finding(
            .subidsShared,
            .warning,
            "\(first) and \(second) have the same subordinate ids: each can read the files of the other's containers",
            place: path,
            needed: "numbers of its own for each",
            remedy:
                "take one's lines out of both files (usermod --del-subuids, --del-subgids); then \(SubordinateIDsRule.again)"
        )
    }

    private static func list(_ names: [SystemName]) -> String {
        let more = names.count > shown ? " and \(names.count - shown) more" : ""
        return names.prefix(shown).map(\.text).joined(separator: ", ") + more
    }
}
