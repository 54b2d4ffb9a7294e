// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// Finds other uses of entralogin's id range: local users and groups, subordinate ids (subuid(5)), and the numbers that
/// useradd may give out (login.defs(5)). A number that another account has is never given to an Entra account, and that
/// account takes precedence (P7).
struct LocalIDsRule: Sendable {
    /// entralogin's groups have the first numbers.
    private static let range = PosixID.usersGroup...PosixID.userRange.upperBound
    private static let bounds = "\(range.lowerBound)-\(range.upperBound)"

    func evaluate(_ machine: any HostView) -> [Finding] {
        let ids = [("/etc/passwd", "user"), ("/etc/group", "group")].compactMap { accounts($0, $1, machine) }
        let ranges = ["/etc/subuid", "/etc/subgid"].compactMap { subordinates($0, machine) }
        let found = ids + ranges + [defaults(machine)].compactMap(\.self)
        return found.isEmpty
            ? [Finding(.ids, .good, "no local id lies in entralogin's range, \(LocalIDsRule.bounds)")] : found
    }

    private func accounts(_ path: String, _ kind: String, _ machine: any HostView) -> Finding? {
        let others = LocalIDsRule.records(of: path, machine).filter { fields in
            fields.count > 2 && UInt32(fields[2]).map(LocalIDsRule.range.contains) == true
        }
        guard let first = others.first else { return nil }
        let more = others.count == 1 ? "" : " and \(others.count - 1) more"
        return Finding(
            .ids(of: kind),
            .warning,
            "the local \(kind) \(first[0])\(more) has a number of entralogin's range: an Entra account that would get it is refused",
            place: path,
            needed: "no local id between \(LocalIDsRule.bounds)",
            remedy: "\(kind)mod gives it another number; files keep the old one until they are changed, too"
        )
    }

    private func subordinates(_ path: String, _ machine: any HostView) -> Finding? {
        let overlapping = LocalIDsRule.records(of: path, machine).first { fields in
            guard fields.count == 3, let start = UInt64(fields[1]), let count = UInt64(fields[2]), count > 0,
                count < 1 << 33, start < 1 << 33
            else { return false }
            return start <= UInt64(LocalIDsRule.range.upperBound)
                && start + count > UInt64(LocalIDsRule.range.lowerBound)
        }
        guard let overlapping else { return nil }
        return Finding(
            .idsSubordinate,
            .warning,
            "\(overlapping[0]) has subordinate ids in entralogin's range: its containers' files would be Entra accounts'",
            place: path,
            needed: "no subordinate ids between \(LocalIDsRule.bounds)",
            remedy: "usermod --del-subuids and --add-subuids (or --del-subgids, --add-subgids) with another range"
        )
    }

    /// The numbers that useradd and groupadd choose by default.
    private func defaults(_ machine: any HostView) -> Finding? {
        let path = "/etc/login.defs"
        let keys: Set<String> = ["UID_MAX", "GID_MAX", "SUB_UID_MAX", "SUB_GID_MAX"]
        let lines = (try? machine.text(of: path))?.lines ?? []
        for (index, line) in lines.enumerated() {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count == 2, keys.contains(String(words[0])), let number = UInt64(words[1]),
                number >= UInt64(LocalIDsRule.range.lowerBound)
            else { continue }
            return Finding(
                .idsDefaults,
                .warning,
                "\(words[0]) reaches into entralogin's range, so new local ids may take numbers of Entra accounts",
                place: "\(path):\(index + 1)",
                needed: "\(words[0]) below \(LocalIDsRule.range.lowerBound)",
                remedy: "lower it"
            )
        }
        return nil
    }

    private static func records(of path: String, _ machine: any HostView) -> [[Substring]] {
        let lines = (try? machine.text(of: path))?.lines ?? []
        return lines.map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    }
}
