// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// Finds conflicts of the old accounts with each other, with this machine's local accounts, and with Entra accounts.
struct OldAccountRules {
    let machine: any HostView
    let local: LocalAccounts
    let known: [KnownAccount]

    func evaluate(_ accounts: [OldAccount]) -> [MigrationConflict] {
        duplicates(accounts)
            // The local record of an account that is already mapped is its own.
            + accounts.filter { !isMapped($0) }.flatMap { account in
                [number(account), name(account), binding(account), home(account), shell(account)].compactMap(\.self)
            }
    }

    private func isMapped(_ account: OldAccount) -> Bool {
        guard let person = local.mapped(named: account.name)?.person else { return false }
        return person.objectID == account.objectID && person.uid == account.uid
    }

    private func duplicates(_ accounts: [OldAccount]) -> [MigrationConflict] {
        var first: [String: String] = [:]
        return accounts.flatMap { account -> [MigrationConflict] in
            let keys = [
                ("name", account.name.text), ("object id", account.objectID.description),
                ("uid", String(account.uid)), ("home", account.home),
            ]
            return keys.compactMap { what, value in
                guard let place = first["\(what) \(value)"] else {
                    first["\(what) \(value)"] = account.place
                    return nil
                }
                return conflict(
                    account,
                    "the \(what) \(value) stands at \(place), too",
                    "find out whose it is; remove the other line"
                )
            }
        }
    }

    private func number(_ account: OldAccount) -> MigrationConflict? {
        guard MappedPerson(name: account.name, objectID: account.objectID, uid: account.uid) != nil else {
            let owner = PosixID(user: account.uid) == nil ? "the system's" : "of entralogin's range"
            return conflict(account, "uid \(account.uid) is \(owner)", "no person may have it: remove the line")
        }
        // The account's own private group may be in /etc/group; another user with this number may not.
        guard local.uids.contains(account.uid) else { return nil }
        return conflict(
            account,
            "a local account has uid \(account.uid)",
            "its files are that account's, too: sort them out by hand, then give one of both another number"
        )
    }

    private func name(_ account: OldAccount) -> MigrationConflict? {
        guard local.userNames.contains(account.name.text) else { return nil }
        return conflict(
            account,
            "\(account.name) is a local account: it would win",
            "remove or rename the local account: userdel, or usermod --login"
        )
    }

    /// P5: a name and an object id are bound to each other for ever.
    private func binding(_ account: OldAccount) -> MigrationConflict? {
        let objectID = account.objectID.description
        if let holder = known.first(where: { $0.name == account.name.text }), holder.objectID != objectID {
            return conflict(
                account,
                "\(account.name) belongs to object id \(holder.objectID) here, and to \(objectID) there",
                "the same human being: entraloginctl users rebind; otherwise remove the line, and give its home to nobody"
            )
        }
        if let holder = known.first(where: { $0.objectID == objectID }), holder.name != account.name.text {
            return conflict(
                account,
                "object id \(objectID) is \(holder.name) here",
                "the person was renamed: write that name into the line"
            )
        }
        return nil
    }

    private func home(_ account: OldAccount) -> MigrationConflict? {
        if local.claims(home: account.home) {
            return conflict(account, "\(account.home) is a local account's home, or above one", "move one of both")
        }
        guard let status = try? machine.status(of: account.home) else { return nil }
        let present = known.first { $0.objectID == account.objectID.description }?.uid
        guard status.kind == .folder, status.owner == account.uid || status.owner == present else {
            return conflict(
                account,
                "\(account.home) is no folder of uid \(account.uid), but of \(status.owner)",
                "find out whose it is; chown it, or take another home into the line"
            )
        }
        return nil
    }

    private func shell(_ account: OldAccount) -> MigrationConflict? {
        let status = try? machine.status(of: account.shell)
        guard status?.kind != .file || (status?.mode ?? 0) & 0o111 == 0 else { return nil }
        return conflict(account, "\(account.shell) is no program that can be run", "install it, or write another")
    }

    private func conflict(_ account: OldAccount, _ text: String, _ remedy: String) -> MigrationConflict {
        MigrationConflict(place: account.place, text: text, remedy: remedy)
    }

    /// Quotes the text for a POSIX shell, unless it has no special characters.
    static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "/._@+-".utf8.contains(byte)
            }
        }
        return isPlain ? text : "'\(text.replacing("'", with: #"'\''"#))'"
    }
}
