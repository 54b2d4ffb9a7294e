// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// /etc/group, and the groups to which root may add an account (P7): none whose members Azure decides, and none that
/// belongs to another account.
struct LocalGroups: Sendable {
    static let path = "/etc/group"
    /// Bytes of the file: a hundred thousand groups have less.
    private static let limit = 16 << 20

    /// Why an account is not added to a group, and what to do.
    struct Refusal: Error, Hashable, Sendable {
        var text: String
        var remedy: String
    }

    private struct Group: Sendable {
        var gid: UInt32?
        var members: [String]
    }

    private let groups: [(name: String, group: Group)]

    /// Reads the lines of group(5); skips comments, NIS entries and lines without four fields.
    init(parsing text: String) {
        groups = text.lines.compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 4, let first = fields[0].first, !"#+-".contains(first) else { return nil }
            let members = fields[3].split(separator: ",").map(String.init)
            return (String(fields[0]), Group(gid: UInt32(fields[2]), members: members))
        }
    }

    init(on machine: any HostView) throws(FileAbsence) {
        self.init(parsing: try machine.text(of: Self.path, limit: Self.limit))
    }

    func isMember(_ name: String, of group: String) -> Bool {
        groups.contains { $0.name == group && $0.group.members.contains(name) }
    }

    /// The groups that list the name, in the order of the file.
    func groups(of name: String) -> [String] {
        groups.filter { $0.group.members.contains(name) }.map(\.name)
    }

    /// Why no account may be added to the group; nil if one may. `own`: the names of entralogin's groups, as the
    /// settings have them.
    func refusal(of group: String, own: [String], isRootEquivalent: Bool, on machine: any HostView) -> Refusal? {
        if own.contains(group) {
            return Refusal(
                text: "\(group): Azure's roles alone decide about its members",
                remedy: "assign the role in Azure"
            )
        }
        guard let found = groups.first(where: { $0.name == group })?.group else {
            let remedy = "groupadd \(group), if it is to be one of this machine's"
            return Refusal(text: "\(group): no group of that name is in \(Self.path)", remedy: remedy)
        }
        guard UserName(group) == nil else {
            return Refusal(text: "\(group): it has an Entra account's name", remedy: "name another group")
        }
        guard found.gid != 0 else {
            return Refusal(text: "\(group): gid 0 is root's own group", remedy: "name another group")
        }
        guard !isRootEquivalent, let power = power(of: group, found, on: machine) else { return nil }
        return Refusal(
            text: "\(group) makes root of its members: \(power)",
            remedy: "give the command with --root-equivalent, if that is meant: no role in Azure is asked for it then"
        )
    }

    /// What makes a member root: the table's entry, or a rule of sudo that names the group.
    private func power(of group: String, _ found: Group, on machine: any HostView) -> String? {
        if let power = RootGroups.power(of: group) { return power }
        let files = SudoersFiles(on: machine)
        let names = ["%\(group)"] + (found.gid.map { ["%#\($0)"] } ?? [])
        for line in files.lines {
            let words = "\(line.keyword) \(line.rest)".split { " \t,=():!\"".contains($0) }
            guard words.contains(where: { word in names.contains { $0 == word } }) else { continue }
            return "sudo has rules for it (\(line.file):\(line.number))"
        }
        return nil
    }
}
