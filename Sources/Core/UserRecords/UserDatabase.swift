// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// What the name service shows of our accounts. Nobody who has not enrolled is in it.
package protocol PublishedAccounts: Sendable {
    /// False while the store cannot be trusted: then nothing is said.
    var isSound: Bool { get }
    /// The two shared groups, and whether everybody may be listed.
    var groups: SharedGroups { get }
    func account(named name: UserName) -> Account?
    func account(uid: UInt32) -> Account?
    /// All of them; a copy that costs nothing.
    func everybody() -> [Account]
    /// Those whose membership of the administrators' group lasts.
    func administrators() -> [Account]
    func isAdministrator(_ account: Account) -> Bool
}

/// The names of the two shared groups; nil where a local group has the name, and so wins (P7).
package struct SharedGroups: Hashable, Sendable {
    package let users: String?
    package let administrators: String?
    /// `Enumerate=`.
    package let enumerate: Bool

    package init(users: String?, administrators: String?, enumerate: Bool) {
        self.users = users
        self.administrators = administrators
        self.enumerate = enumerate
    }
}

/// Answers `io.systemd.UserDatabase` (systemd.io/USER_GROUP_API) from what the name service shows. No effects; what it
/// says is no secret, so anybody may ask.
package struct UserDatabase: Sendable {
    /// The service's name, and of its socket in /run/systemd/userdb.
    package static let service = "io.entralogin"

    private static let interface = "io.systemd.UserDatabase"

    private let accounts: any PublishedAccounts
    private let version: String

    /// `version` is the product's.
    package init(_ accounts: any PublishedAccounts, version: String) {
        self.accounts = accounts
        self.version = version
    }

    package func answer(_ call: VarlinkCall) -> VarlinkReplies {
        let replies = repliesTo(call)
        return call.isOneWay ? .none : replies
    }

    private func repliesTo(_ call: VarlinkCall) -> VarlinkReplies {
        do throws(Refusal) {
            switch call.method {
            case "org.varlink.service.GetInfo": return VarlinkReplies(try information(call))
            case "\(Self.interface).GetUserRecord": return try users(call)
            case "\(Self.interface).GetGroupRecord": return try groups(call)
            case "\(Self.interface).GetMemberships": return try memberships(call)
            default: return VarlinkReplies(.methodNotFound(call.method))
            }
        } catch {
            return VarlinkReplies(error.reply)
        }
    }

    /// An error of the protocol as the way out of an answer.
    private struct Refusal: Error {
        let reply: VarlinkReply

        init(_ reply: VarlinkReply) { self.reply = reply }

        /// An error of `io.systemd.UserDatabase`.
        init(_ name: String) { self.init(VarlinkReply(error: "\(UserDatabase.interface).\(name)")) }

        static let noRecordFound = Refusal("NoRecordFound")
        static let conflictingRecordFound = Refusal("ConflictingRecordFound")
    }

    // MARK: Methods

    private func information(_ call: VarlinkCall) throws(Refusal) -> VarlinkReply {
        if let name = call.parameters.keys.min() { throw Refusal(.invalidParameter(name)) }
        return VarlinkReply([
            "vendor": .string("entralogin"), "product": .string("entralogind"), "version": .string(version),
            "url": .string(""),
            "interfaces": .array([.string(Self.interface), .string("org.varlink.service")]),
        ])
    }

    private func users(_ call: VarlinkCall) throws(Refusal) -> VarlinkReplies {
        let question = try question(call, name: "userName", number: "uid")
        guard !question.isForAll else {
            let everybody = accounts.everybody()
            return try list(call, count: everybody.count) { self.record(of: everybody[$0]) }
        }
        let found = try one(
            question.name.map { UserName($0).flatMap(accounts.account(named:)) },
            question.number.map(accounts.account(uid:))
        )
        return VarlinkReplies(Self.reply(record(of: found)))
    }

    private func groups(_ call: VarlinkCall) throws(Refusal) -> VarlinkReplies {
        let question = try question(call, name: "groupName", number: "gid")
        guard !question.isForAll else {
            let (shared, everybody) = (sharedGroups, accounts.everybody())
            return try list(call, count: shared.count + everybody.count) { index in
                index < shared.count ? shared[index].json : GroupRecord(of: everybody[index - shared.count]).json
            }
        }
        let found = try one(question.name.map(group(named:)), question.number.map(group(gid:)))
        return VarlinkReplies(Self.reply(found.json))
    }

    private func memberships(_ call: VarlinkCall) throws(Refusal) -> VarlinkReplies {
        try check(call, takes: ["userName", "groupName"])
        let user = try text("userName", call)
        let group = try text("groupName", call)
        let shared = accounts.groups
        var lists: [(group: String, members: [Account])] = []
        if let user {
            guard let account = UserName(user).flatMap(accounts.account(named:)) else { throw .noRecordFound }
            lists = self.shared(of: account).map { ($0, [account]) }
        } else if group == nil {
            guard shared.enumerate else { throw Refusal("EnumerationNotSupported") }
        }
        if user == nil {
            if let name = shared.users, group == nil || group == name { lists.append((name, accounts.everybody())) }
            if let name = shared.administrators, group == nil || group == name {
                lists.append((name, accounts.administrators()))
            }
        }
        if let group { lists.removeAll { $0.group != group } }
        return try several(call, lists)
    }

    // MARK: Parts

    private func several(
        _ call: VarlinkCall,
        _ lists: [(group: String, members: [Account])]
    ) throws(Refusal) -> VarlinkReplies {
        let count = lists.reduce(0) { $0 + $1.members.count }
        guard count > 0 else { throw .noRecordFound }
        guard count == 1 || call.wantsMore else { throw Refusal(.expectedMore) }
        let parts = lists
        return VarlinkReplies(count: count) { index in
            var place = index
            for part in parts {
                if place < part.members.count {
                    let member = part.members[place].name.text
                    return VarlinkReply(
                        ["userName": .string(member), "groupName": .string(part.group)],
                        continues: index + 1 < count
                    )
                }
                place -= part.members.count
            }
            return .expectedMore
        }
    }

    private func record(of account: Account) -> JSON {
        UserRecord(account, memberOf: shared(of: account)).json
    }

    private func shared(of account: Account) -> [String] {
        let groups = accounts.groups
        let administrators = accounts.isAdministrator(account) ? groups.administrators : nil
        return [groups.users, administrators].compactMap(\.self)
    }

    private var sharedGroups: [GroupRecord] {
        let groups = accounts.groups
        return [
            groups.users.map { GroupRecord(name: $0, gid: PosixID.usersGroup) },
            groups.administrators.map { GroupRecord(name: $0, gid: PosixID.administratorsGroup) },
        ].compactMap(\.self)
    }

    private func group(named name: String) -> GroupRecord? {
        sharedGroups.first { $0.name == name }
            ?? UserName(name).flatMap(accounts.account(named:)).map(GroupRecord.init(of:))
    }

    private func group(gid: UInt32) -> GroupRecord? {
        sharedGroups.first { $0.gid == gid } ?? accounts.account(uid: gid).map(GroupRecord.init(of:))
    }

    private static func reply(_ record: JSON, continues: Bool = false) -> VarlinkReply {
        VarlinkReply(["record": record, "incomplete": .boolean(false)], continues: continues)
    }

    /// Everybody's records, where the administrator allows that.
    private func list(
        _ call: VarlinkCall,
        count: Int,
        _ record: @escaping @Sendable (Int) -> JSON
    ) throws(Refusal) -> VarlinkReplies {
        guard accounts.groups.enumerate else { throw Refusal("EnumerationNotSupported") }
        guard count > 0 else { throw .noRecordFound }
        guard call.wantsMore else { throw Refusal(.expectedMore) }
        return VarlinkReplies(count: count) { Self.reply(record($0), continues: $0 + 1 < count) }
    }

    // MARK: Parameters

    private struct Question {
        let name: String?
        let number: UInt32?

        var isForAll: Bool { name == nil && number == nil }
    }

    /// What was found by name and by number: each is nil where it was not asked for, and .some(nil) where nothing was
    /// found. Two records, or one that only one of them means, contradict each other.
    private func one<Found: Equatable>(_ byName: Found??, _ byNumber: Found??) throws(Refusal) -> Found {
        switch (byName, byNumber) {
        case (let found??, nil), (nil, let found??): return found
        case (let found??, let other??) where found == other: return found
        case (nil, .some(nil)), (.some(nil), nil), (.some(nil), .some(nil)), (nil, nil): throw .noRecordFound
        default: throw .conflictingRecordFound
        }
    }

    private func question(_ call: VarlinkCall, name: String, number: String) throws(Refusal) -> Question {
        try check(call, takes: [name, number])
        return Question(name: try text(name, call), number: try integer(number, call))
    }

    /// A parameter that we do not know would narrow the question: systemd asks again without it, and looks for itself.
    private func check(_ call: VarlinkCall, takes names: Set<String>) throws(Refusal) {
        guard let service = try text("service", call) else { throw Refusal(.invalidParameter("service")) }
        guard service == Self.service else { throw Refusal("BadService") }
        let unknown = call.parameters.keys.filter { $0 != "service" && !names.contains($0) }
        if let name = unknown.min() { throw Refusal(.invalidParameter(name)) }
        guard accounts.isSound else { throw Refusal("ServiceNotAvailable") }
    }

    private func text(_ name: String, _ call: VarlinkCall) throws(Refusal) -> String? {
        guard let value = call.parameters[name] else { return nil }
        guard let text = value.text else { throw Refusal(.invalidParameter(name)) }
        return text
    }

    private func integer(_ name: String, _ call: VarlinkCall) throws(Refusal) -> UInt32? {
        guard let value = call.parameters[name] else { return nil }
        guard let number = value.integer.flatMap(UInt32.init(exactly:)) else { throw Refusal(.invalidParameter(name)) }
        return number
    }
}
