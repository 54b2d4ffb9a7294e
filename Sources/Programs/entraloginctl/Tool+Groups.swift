// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration
internal import Settings
internal import Wire

// Accounts before their first sign-in, and their local groups. The daemon binds the account; /etc/group is changed
// here, as root, by the system's gpasswd(1), which takes the system's lock and replaces the file as a whole.

/// The JSON output of `users add`.
struct AddedUser: Sendable, Codable {
    var name: String
    var uid: UInt32
    var objectID: String
    var home: String
    var shell: String
    /// False if nothing had to be changed.
    var changed: Bool
    /// Those of the command's groups that have it as a member now.
    var groups: [String]
    /// What the machine calls it instead; nil if that is `name`.
    var shortName: String?
}

extension Tool {
    private static let gpasswd = "/usr/bin/gpasswd"

    /// First checks what can be refused, then adds the account, then its groups: if a group could not be changed, the
    /// account exists, and the same command adds what is missing.
    func add(
        _ name: String,
        _ objectID: ObjectID,
        to groups: [String],
        isRootEquivalent: Bool
    ) throws(DaemonError) -> ExitStatus {
        let before = localGroups()
        if !groups.isEmpty {
            guard let before else { return .refused }
            let accounts = settings.accounts
            let own = [accounts.usersGroup, accounts.administratorsGroup]
            for group in groups {
                let refusal = before.refusal(of: group, own: own, isRootEquivalent: isRootEquivalent, on: machine)
                if let refusal { return complain(refusal) }
            }
        }
        let response = try client.ask(.add(name, objectID: objectID.description, groups: groups))
        if case .refused(let refusal) = response { return complain(refusal) }
        let added = try read(response, as: AddedUserReport.self)
        let called = added.shortName ?? added.name
        let missing = groups.filter { before?.isMember(called, of: $0) != true }
        let failed = missing.filter { !change("-a", called, in: $0) }
        show(AddedUser(added, groups: groups.filter { !failed.contains($0) }, changed: missing.count > failed.count)) {
            UsersText(style: style, now: now).added(added, groups: $0.groups)
        }
        guard !failed.isEmpty else { return .success }
        Output.complain(
            printable(
                "  do: give the command again; the account is there, and is no member of \(failed.joined(separator: ", "))"
            )
        )
        return .refused
    }

    /// Takes a retired account out of every local group, by its present and past names: also what an earlier run left.
    func takeOut(_ user: UserReport) -> ExitStatus {
        guard let groups = localGroups() else { return .refused }
        var left: [String] = []
        var failed = false
        let short = user.shortName.flatMap { isLocalUser($0) ? nil : $0 }
        for name in [user.name] + (user.formerNames ?? []) + [short].compactMap(\.self) {
            for group in groups.groups(of: name) {
                if change("-d", name, in: group) { left.append(group) } else { failed = true }
            }
        }
        if !left.isEmpty, !isJSON {
            Output.say(Text.wrap(printable("Taken out of \(left.joined(separator: ", "))."), width: Style.width))
        }
        guard failed else { return .success }
        Output.complain("  do: give the command again; the account is retired")
        return .refused
    }

    /// After a renaming to a short name: local groups still list the account by its former name.
    func carryGroups(from name: String, to short: String) -> ExitStatus {
        guard let groups = localGroups() else { return .refused }
        let failed = groups.groups(of: name).filter { !change("-a", short, in: $0) || !change("-d", name, in: $0) }
        guard !failed.isEmpty else { return .success }
        Output.complain(printable("  do: gpasswd -a \(short) GROUP, for \(failed.joined(separator: ", "))"))
        return .refused
    }

    private func isLocalUser(_ name: String) -> Bool {
        guard let passwd = try? machine.text(of: "/etc/passwd") else { return true }
        return passwd.lines.contains { $0.hasPrefix("\(name):") }
    }

    /// gpasswd's `-a` or `-d`; false, with its complaint printed, if the file shows afterwards that it did not happen.
    private func change(_ option: String, _ name: String, in group: String) -> Bool {
        // gpasswd reads its options with getopt(3): the argument of -a may begin with a minus, as names may.
        let result = machine.run(Self.gpasswd, [option, name, group])
        guard result.status == 0, localGroups()?.isMember(name, of: group) == (option == "-a") else {
            let why = result.complaint.lines.first.map { ": \($0)" } ?? ""
            Output.complain(printable("entraloginctl: \(group) was not changed in \(LocalGroups.path)\(why)"))
            return false
        }
        return true
    }

    /// Nil, with a message, if the file cannot be read.
    private func localGroups() -> LocalGroups? {
        guard let groups = try? LocalGroups(on: machine) else {
            Output.complain("entraloginctl: \(LocalGroups.path) cannot be read")
            return nil
        }
        return groups
    }

    private func complain(_ refusal: LocalGroups.Refusal) -> ExitStatus {
        let lines = Text.wrap(printable("entraloginctl: \(refusal.text). Nothing was changed."), width: Style.width)
        Output.complain((lines + Text.labelled("  do:", column: 6, printable(refusal.remedy))).joined(separator: "\n"))
        return .refused
    }
}

extension AddedUser {
    fileprivate init(_ report: AddedUserReport, groups: [String], changed: Bool) {
        name = report.name
        uid = report.uid
        objectID = report.objectID
        home = report.home
        shell = report.shell
        shortName = report.shortName
        self.groups = groups
        self.changed = report.isNew || changed
    }
}
