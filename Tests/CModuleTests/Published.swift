// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import CClient
import CSnapshot
import CWire
import Glibc
import Identity
import NSS
import PAM
import Synchronization
import TestSupport
import Testing

extension AccountSnapshot {
    /// The snapshot's bytes for these accounts. Accounts that keep an older uid are mapped.
    static func bytes(
        of accounts: [Account],
        policy: AccountPolicy,
        generation: UInt64,
        seed: UInt32
    ) throws -> [UInt8] {
        guard let tenant = TenantID("9b1c3d5e-0000-4000-8000-000000000001"), let objectID = ObjectID(tenant.description)
        else { preconditionFailure("not a GUID") }
        let identity = DirectoryIdentity(tenant: tenant, objectID: objectID)
        let enrolled = accounts.map {
            EnrolledAccount(account: $0, identity: identity, enrolledAt: UnixTime(seconds: 0))
        }
        return try AccountSnapshot(
            of: VisibleAccounts(
                enrolled,
                forGroupsAlone: Set(accounts.filter { $0.mappedUID != nil }.map(\.uid.number))
            ),
            policy: policy,
            generation: generation,
            seed: seed
        ).bytes
    }
}

/// Published files as the daemon writes them, in a folder of their own, and the module's answers about them.
final class Published: Sendable {
    static let boot = "00112233-4455-6677-8899-aabbccddeeff"

    let folder = TemporaryFolder()
    let accounts: [Account]
    /// Whether the name service with short names asks (`entralogin_short`).
    let asksForShortNames: Mutex<Bool> = Mutex(false)
    /// What a process keeps of the files. Each lookup runs without it and with it, and must give the same answer.
    private nonisolated(unsafe) let kept = UnsafeMutablePointer<entralogin_kept>.allocate(capacity: 3)

    /// `administrators`: seconds since boot at which the membership of the account with that number ends.
    convenience init(count: Int = 3, enumerate: Bool = true, administrators: [Int: UInt64] = [:]) throws {
        let accounts = (0..<count).map(Published.account)
        try self.init(of: accounts, enumerate: enumerate, administrators: administrators)
    }

    init(
        of accounts: [Account],
        enumerate: Bool = true,
        administrators: [Int: UInt64] = [:],
        mapsGroups: Bool = false,
        shortNameDomain: String? = nil
    ) throws {
        self.accounts = accounts
        kept.initialize(repeating: entralogin_kept(), count: 3)
        var policy = AccountPolicy(enumerate: enumerate)
        policy.mapsGroups = mapsGroups
        policy.shortNameDomain = shortNameDomain
        let bytes = try AccountSnapshot.bytes(of: accounts, policy: policy, generation: 1, seed: 99)
        folder.write(bytes, to: "accounts")
        folder.write(Array("\(Published.boot)\n".utf8), to: "boot_id")
        let grants = Dictionary(uniqueKeysWithValues: administrators.map { (accounts[$0.key].uid.number, $0.value) })
        writeGrants(grants)
    }

    deinit {
        for file in 0..<3 { entralogin_kept_forget(kept + file) }
        kept.deallocate()
    }

    /// Root's list of mapped accounts.
    func writeList(_ lines: [String]) {
        folder.write(Array(([ENTRALOGIN_MAPPED_FIRST_LINE] + lines).map { $0 + "\n" }.joined().utf8), to: "adopted")
    }

    func writeGrants(_ grants: [UInt32: UInt64], boot: String = Published.boot) {
        guard let boot = BootID(boot) else { preconditionFailure("not a boot id") }
        folder.write(GrantSnapshot.bytes(of: grants, boot: boot, generation: 1), to: "grants")
    }

    /// Entra groups and their members.
    func writeGroups(_ snapshot: GroupSnapshot, boot: String = Published.boot) {
        guard let boot = BootID(boot) else { preconditionFailure("not a boot id") }
        folder.write(snapshot.bytes(boot: boot, generation: 1), to: "groups")
    }

    static func account(_ number: Int) -> Account {
        guard let name = UserName("person\(number)@contoso.com"),
            let uid = PosixID(user: ENTRALOGIN_ID_FIRST + ENTRALOGIN_GROUP_IDS + UInt32(number) * 7)
        else { preconditionFailure("not an account") }
        let gecos = number % 2 == 0 ? "Person \(number), ünï" : ""
        return Account(name: name, uid: uid, displayName: gecos, home: "/home/\(name.text)", shell: "/bin/bash")
    }

    /// The paths as the module gets them. Without `server` there is no daemon at the socket's path.
    func withSources<R>(
        _ server: entralogin_server? = nil,
        keeping: Bool = false,
        _ body: (inout entralogin_sources) throws -> R
    ) rethrows -> R {
        try folder("accounts").withCString { accounts in
            try folder("grants").withCString { grants in
                try folder("boot_id").withCString { bootID in
                    try "/nonexistent/control.sock".withCString { nowhere in
                        try folder("adopted").withCString { mapped in
                            try folder("groups").withCString { groups in
                                var sources = entralogin_sources(
                                    accounts: accounts,
                                    grants: grants,
                                    groups: groups,
                                    boot_id: bootID,
                                    mapped: mapped,
                                    daemon: server ?? entralogin_server(path: nowhere, root: .max),
                                    kept_accounts: keeping ? kept : nil,
                                    kept_grants: keeping ? kept + 1 : nil,
                                    kept_groups: keeping ? kept + 2 : nil,
                                    short_names: asksForShortNames.withLock { $0 ? 1 : 0 }
                                )
                                return try body(&sources)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What the module answers: the status, errnop, and the record when there is one.
struct Answer<Record: Equatable>: Equatable {
    let status: nss_status
    var error: Int32 = 0
    var record: Record?

    static var notFound: Answer { Answer(status: NSS_STATUS_NOTFOUND, error: ENOENT) }
    static var unavailable: Answer { Answer(status: NSS_STATUS_UNAVAIL, error: ENOENT) }
    static var tooSmall: Answer { Answer(status: NSS_STATUS_TRYAGAIN, error: ERANGE) }
    static func found(_ record: Record) -> Answer { Answer(status: NSS_STATUS_SUCCESS, record: record) }
}

struct PasswdRecord: Equatable {
    var name: String, password = "!*", uid: UInt32, gid: UInt32, gecos: String, home: String, shell: String

    init(_ account: Account) {
        name = account.systemName
        uid = account.uid.number
        gid = account.uid.number
        gecos = account.displayName
        home = account.home
        shell = account.shell
    }

    init(_ p: passwd) {
        name = String(cString: p.pw_name)
        password = String(cString: p.pw_passwd)
        uid = p.pw_uid
        gid = p.pw_gid
        gecos = String(cString: p.pw_gecos)
        home = String(cString: p.pw_dir)
        shell = String(cString: p.pw_shell)
    }
}

struct GroupRecord: Equatable {
    var name: String, password = "*", gid: UInt32, members: [String] = []

    init(name: String, gid: UInt32, members: [String] = []) {
        self.name = name
        self.gid = gid
        self.members = members
    }

    init(_ g: group) {
        name = String(cString: g.gr_name)
        password = String(cString: g.gr_passwd)
        gid = g.gr_gid
        precondition(UInt(bitPattern: g.gr_mem) % UInt(MemoryLayout<UnsafeMutablePointer<CChar>>.alignment) == 0)
        var next = g.gr_mem
        while let place = next, let member = place.pointee {
            members.append(String(cString: member))
            next = place + 1
        }
    }
}

private typealias Packing<Raw> = (
    UnsafeMutablePointer<Raw>, UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<Int32>
)
    -> nss_status

/// Calls an entry point with a buffer of `size` bytes, `skew` bytes after an aligned address, between guard bytes.
private func call<Raw, Record>(
    _ raw: Raw,
    _ size: Int,
    _ skew: Int,
    _ read: (Raw) -> Record,
    _ pack: Packing<Raw>
) -> Answer<Record> {
    var raw = raw
    var error: Int32 = 0
    let whole = UnsafeMutablePointer<CChar>.allocate(capacity: size + 32)
    defer { whole.deallocate() }
    whole.initialize(repeating: 0x55, count: size + 32)
    errno = 77
    let status = pack(&raw, whole + 8 + skew, size, &error)
    precondition(errno == 77 || status != NSS_STATUS_SUCCESS, "errno of the caller")
    let outside = [0..<8 + skew, 8 + skew + size..<size + 32]
    precondition(outside.allSatisfy { $0.allSatisfy { whole[$0] == 0x55 } }, "a byte outside the buffer was written")
    let record = status == NSS_STATUS_SUCCESS ? read(raw) : nil
    return Answer(status: status, error: error, record: record)
}

extension Published {
    typealias Passwd = Answer<PasswdRecord>
    typealias Group = Answer<GroupRecord>

    /// Looks up without a kept copy and with one; if there is a daemon, only without one.
    private func both<R: Equatable>(
        _ server: entralogin_server? = nil,
        _ question: String,
        _ body: (inout entralogin_sources) -> R
    ) -> R {
        let answer = withSources(server, body)
        guard server == nil else { return answer }
        let kept = withSources(keeping: true, body)
        if kept != answer { Issue.record("\(question): \(answer), but \(kept) from what is kept") }
        return answer
    }

    func passwd(_ name: String, size: Int = 1_024, skew: Int = 0, server: entralogin_server? = nil) -> Passwd {
        both(server, name) { sources in
            call(Glibc.passwd(), size, skew, PasswdRecord.init) { raw, buffer, size, error in
                entralogin_nss_passwd_by_name(&sources, name, raw, buffer, size, error)
            }
        }
    }

    func passwd(uid: UInt32, size: Int = 1_024) -> Passwd {
        both(nil, "uid \(uid)") { sources in
            call(Glibc.passwd(), size, 0, PasswdRecord.init) { raw, buffer, size, error in
                entralogin_nss_passwd_by_uid(&sources, uid, raw, buffer, size, error)
            }
        }
    }

    func group(_ name: String, size: Int = 4_096, skew: Int = 0) -> Group {
        both(nil, name) { sources in
            call(Glibc.group(), size, skew, GroupRecord.init) { raw, buffer, size, error in
                entralogin_nss_group_by_name(&sources, name, raw, buffer, size, error)
            }
        }
    }

    func group(gid: UInt32, size: Int = 4_096) -> Group {
        both(nil, "gid \(gid)") { sources in
            call(Glibc.group(), size, 0, GroupRecord.init) { raw, buffer, size, error in
                entralogin_nss_group_by_gid(&sources, gid, raw, buffer, size, error)
            }
        }
    }

    func nextPasswd(_ cursor: inout UInt64, size: Int = 1_024) -> Passwd {
        next(&cursor) { sources, cursor in
            call(Glibc.passwd(), size, 0, PasswdRecord.init) { raw, buffer, size, error in
                entralogin_nss_passwd_next(&sources, cursor, raw, buffer, size, error)
            }
        }
    }

    func nextGroup(_ cursor: inout UInt64, size: Int = 4_096) -> Group {
        next(&cursor) { sources, cursor in
            call(Glibc.group(), size, 0, GroupRecord.init) { raw, buffer, size, error in
                entralogin_nss_group_next(&sources, cursor, raw, buffer, size, error)
            }
        }
    }

    /// One step from the same cursor, twice.
    private func next<R: Equatable>(
        _ cursor: inout UInt64,
        _ step: (inout entralogin_sources, UnsafeMutablePointer<UInt64>) -> R
    ) -> R {
        let here = cursor
        var there = here
        let answer = both(nil, "entry at \(here)") { sources in
            there = here
            return withUnsafeMutablePointer(to: &there) { step(&sources, $0) }
        }
        cursor = there
        return answer
    }

    /// The status and the groups after the call. The array has room for `size` groups and begins with `before`.
    func initgroups(
        _ name: String,
        primary: UInt32,
        before: [UInt32] = [],
        size: Int = 1,
        limit: Int = -1,
        server: entralogin_server? = nil
    ) -> (status: nss_status, groups: [UInt32]) {
        let answer = both(server, "groups of \(name)") { sources in
            var start = before.count
            var size = size
            var error: Int32 = 0
            // The module may call realloc(3) on it, so the C library allocates and frees it.
            var groups = malloc(size * 4)?.bindMemory(to: gid_t.self, capacity: size)
            for (index, gid) in before.enumerated() { groups?[index] = gid }
            let status = entralogin_nss_initgroups(&sources, name, primary, &start, &size, &groups, limit, &error)
            defer { free(groups) }
            precondition(start <= size)
            return Answer(status: status, error: error, record: (0..<start).compactMap { groups?[$0] })
        }
        return (answer.status, answer.record ?? [])
    }
}
