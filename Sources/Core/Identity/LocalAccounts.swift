// SPDX-License-Identifier: Apache-2.0

/// What /etc/passwd and /etc/group claim: names, numbers and homes that are never an Entra account's (P7).
///
/// The readable part of a damaged line still counts: in doubt the local files win. Immutable; a class, so that look-ups
/// share one instance instead of copying its sets.
package final class LocalAccounts: Sendable {
    /// Names of users and of groups, folded to lower case.
    package let userNames: Set<String>
    package let groupNames: Set<String>
    package let uids: Set<UInt32>
    package let gids: Set<UInt32>
    private let homes: Set<String>
    /// The homes of local users and every folder above them: a folder's owner controls what is below it.
    private let claimedPaths: Set<String>
    /// Which of these accounts are mapped accounts, and so Entra accounts.
    private let mappings: LocalMappings
    /// The groups that list a name, for each name that an Entra account can have.
    private let memberships: [UserName: Set<String>]
    /// Every name that a group lists.
    private let members: Set<String>
    private let mappedNames: [UInt32: UserName]
    private let listed: [UserName: MappedPerson]
    private let listedObjects: [ObjectID: MappedPerson]

    /// Takes the files' bytes (passwd(5), group(5)), and root's list of mapped accounts. Comments, empty lines and the
    /// `+` and `-` lines of NIS (nsswitch.conf(5), compat) are skipped.
    package init(passwd: [UInt8], group: [UInt8], mapped list: MappingList = MappingList()) {
        var users: [[String]] = []
        var groups: [[String]] = []
        let hasList = !list.people.isEmpty
        var userNames: Set<String> = []
        var uids: Set<UInt32> = []
        var homes: Set<String> = []
        LocalAccounts.forEachLine(of: passwd) { fields in
            if hasList { users.append(fields) }
            userNames.insert(fields[0].lowercased())
            // name:password:uid:gid:gecos:home:shell
            if fields.count > 2, let uid = UInt32(fields[2]) { uids.insert(uid) }
            if fields.count > 5 { homes.insert(HomePath.normalized(fields[5])) }
        }
        var groupNames: Set<String> = []
        var gids: Set<UInt32> = []
        var memberships: [UserName: Set<String>] = [:]
        var members: Set<String> = []
        LocalAccounts.forEachLine(of: group) { fields in
            if hasList { groups.append(fields) }
            groupNames.insert(fields[0].lowercased())
            if fields.count > 2, let gid = UInt32(fields[2]) { gids.insert(gid) }
            if fields.count > 3 { members.formUnion(fields[3].split(separator: ",").map(String.init)) }
            guard fields.count > 3,
                fields[3].utf8.contains(where: { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "-") })
            else { return }
            for member in fields[3].split(separator: ",") {
                guard let name = UserName(String(member)) else { continue }
                memberships[name, default: []].insert(fields[0])
            }
        }
        self.userNames = userNames
        self.groupNames = groupNames
        self.uids = uids
        self.gids = gids
        self.memberships = memberships
        self.members = members
        self.homes = homes
        claimedPaths = homes.reduce(into: []) { paths, home in LocalAccounts.claim(home, in: &paths) }
        mappings = LocalMappings(list, users: users, groups: groups)
        mappedNames = mappings.accounts.reduce(into: [:]) { $0[$1.value.person.uid] = $1.key }
        listed = list.people.reduce(into: [:]) { $0[$1.name] = $1 }
        listedObjects = list.people.reduce(into: [:]) { $0[$1.objectID] = $1 }
    }

    /// The local account of that name, if it is a mapped account.
    package func mapped(named name: UserName) -> MappedAccount? { mappings.accounts[name] }

    package func mapped(uid: UInt32) -> MappedAccount? { mappedNames[uid].flatMap { mappings.accounts[$0] } }

    package var mapped: some Collection<MappedAccount> { mappings.accounts.values }

    /// The entry with that name in root's list, mapped or not.
    package func listed(named name: UserName) -> MappedPerson? { listed[name] }

    package func listed(_ objectID: ObjectID) -> MappedPerson? { listedObjects[objectID] }

    /// The names in root's list that are not mapped, and why.
    package var mismatches: [UserName: String] { mappings.mismatches }

    /// A local user or group has this name.
    package func claims(_ name: UserName) -> Bool { claims(SystemName(name)) }

    /// Why a short name is not free: a local user or group has it, or a local group lists it, so that the account would
    /// get that group's rights; nil if it is free.
    package func obstacle(to name: ShortName) -> String? {
        if userNames.contains(name.text) { return "a local user is called \(name)" }
        if groupNames.contains(name.text) { return "a local group is called \(name)" }
        return members.contains(name.text) ? "a local group lists \(name) as a member" : nil
    }

    /// A local user or group has this name, short or whole.
    package func claims(_ name: SystemName) -> Bool {
        userNames.contains(name.text) || groupNames.contains(name.text)
    }

    /// A local user or group has this number.
    package func claims(id: UInt32) -> Bool { uids.contains(id) || gids.contains(id) }

    /// The local groups that list the name.
    package func groups(listing name: UserName) -> Set<String> { memberships[name] ?? [] }

    /// The path is a local user's home.
    package func hasHome(_ path: String) -> Bool { homes.contains(HomePath.normalized(path)) }

    /// The path is a local user's home, or a folder above one.
    package func claims(home: String) -> Bool { claimedPaths.contains(HomePath.normalized(home)) }

    /// The uid of the local user with that name in the bytes of passwd(5); nil if there is none.
    package static func uid(of name: String, in passwd: [UInt8]) -> UInt32? {
        var uid: UInt32?
        forEachLine(of: passwd) { fields in
            if uid == nil, fields[0] == name, fields.count > 2 { uid = UInt32(fields[2]) }
        }
        return uid
    }

    private static func claim(_ home: String, in paths: inout Set<String>) {
        var path = home
        while let slash = path.lastIndex(of: "/") {
            guard paths.insert(path).inserted else { return }
            path = String(path[..<slash])
        }
    }

    private static func forEachLine(of bytes: [UInt8], _ body: ([String]) -> Void) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let trimmed = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            guard let first = trimmed.first, !"#+-".utf8.contains(first) else { continue }
            let fields = trimmed.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            body(fields.map { String(decoding: $0, as: UTF8.self) })
        }
    }
}
