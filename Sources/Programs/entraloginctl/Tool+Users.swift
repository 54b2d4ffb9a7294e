// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration
internal import Wire

// The accounts: looking at them, and the administrator's decisions about whose they are (P5).

extension Tool {
    func users(_ command: UsersCommand) throws(DaemonError) -> ExitStatus {
        switch command {
        case .list: return try listUsers()
        case .show(let name):
            var user = try user(name)
            user.subordinateIDs = subordinateRange(of: user)
            show(user) { UsersText(style: style, now: now).card($0) }
            return .success
        case .add(let name, let objectID, let groups, let isRootEquivalent):
            return try add(name, objectID, to: groups, isRootEquivalent: isRootEquivalent)
        case .retire(let name): return try retire(name)
        case .lock(let name):
            return try expectDone(
                .lock(name),
                saying: Text.wrap(
                    "\(printable(name)) is locked: sign-in, sudo and jobs are refused from now on. What runs goes on;"
                        + " entraloginctl sessions end \(printable(name)) ends it.",
                    width: Style.width
                ).joined(separator: "\n")
            )
        case .unlock(let name):
            return try expectDone(
                .unlock(name),
                saying: "\(printable(name)) is unlocked, and can sign in with the role."
            )
        case .rebind(let name, let objectID, true):
            return try expectDone(
                .rebind(name, objectID: objectID.description),
                saying: "\(printable(name)) belongs to object id \(objectID) now."
            )
        case .rebind(let name, let objectID, false): return try proposeRebinding(name, objectID)
        case .rename(let name, let new):
            let whole = UserName(folding: new) == nil ? try user(name).name : nil
            let status = try expectDone(
                .rename(name, to: new),
                saying: "\(printable(name)) is called \(printable(new)) now; uid and home stay."
            )
            guard let whole, status == .success else { return status }
            return carryGroups(from: whole, to: new)
        case .setShell(let name, let shell):
            guard let status = try? machine.status(of: shell), status.kind == .file, status.mode & 0o111 != 0 else {
                Output.complain("entraloginctl: \(printable(shell)) is no program that can be run")
                return .usage
            }
            return try expectDone(
                .setShell(name, shell: shell),
                saying: "\(printable(name)) has the shell \(printable(shell)) from the next sign-in on."
            )
        case .setHome(let name, let home):
            return try expectDone(
                .setHome(name, home: home),
                saying: Text.wrap(
                    """
                    \(name) has the home \(home) from the next sign-in on. Nothing was moved: where the folder does not \
                    exist it is made then; one that is there has to be that account's (chown -R).
                    """,
                    width: Style.width
                ).joined(separator: "\n")
            )
        }
    }

    private func listUsers() throws(DaemonError) -> ExitStatus {
        show(UsersReport(users: try allUsers())) { UsersText(style: style, now: now).list($0.users) }
        return .success
    }

    func allUsers() throws(DaemonError) -> [UserReport] {
        var users: [UserReport] = []
        var after: String? = ""
        while let name = after {
            let page = try ask(.users(after: name), for: UsersReport.self)
            users += page.users
            // A page that does not lead on would be requested endlessly.
            if let next = page.next, next <= name { throw .misread }
            after = page.next
        }
        return users
    }

    private func user(_ name: String) throws(DaemonError) -> UserReport {
        try ask(.showUser(name), for: UserReport.self)
    }

    private func retire(_ name: String) throws(DaemonError) -> ExitStatus {
        let user = try user(name)
        let ended = try expectDone(.retire(name), saying: UsersText(style: style, now: now).retired(user))
        guard ended == .success else { return ended }
        let status = takeOut(user)
        guard status == .success, !isJSON else { return status }
        // The daemon has ended what the account had running. This says what is left, or why the daemon could not end
        // it; the account is retired all the same.
        _ = try endSessions(name, again: true)
        return status
    }

    /// Nothing happens before root has confirmed that it is the same person: the account comes with its files.
    private func proposeRebinding(_ name: String, _ objectID: ObjectID) throws(DaemonError) -> ExitStatus {
        let user = try user(name)
        guard user.objectID != objectID.description || user.retiredAt != nil else {
            show(user) { _ in ["It belongs to that object id already; nothing is to be done."] }
            return .success
        }
        show(user) { UsersText(style: style, now: now).proposal($0, objectID.description) }
        return .refused
    }
}
