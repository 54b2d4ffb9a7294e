// SPDX-License-Identifier: Apache-2.0

import CClient
import CWire
import Glibc
import Identity
import NSS
import PAM
import Synchronization
import TestSupport
import Testing

@Suite("Short names in the modules") struct ShortNamesTests {
    private static func account(_ local: String, _ number: UInt32, isShort: Bool = true) throws -> Account {
        Account(
            name: try #require(UserName("\(local)@contoso.com")),
            uid: try #require(PosixID(user: PosixID.userRange.lowerBound + number)),
            displayName: "",
            home: "/home/\(local)",
            shell: "/bin/sh",
            shortName: isShort ? ShortName(local) : nil
        )
    }

    private func published(asks: Bool = true, domain: String? = "contoso.com") throws -> Published {
        let accounts = [try Self.account("alice", 1), try Self.account("carol", 2, isShort: false)]
        let published = try Published(of: accounts, administrators: [0: .max], shortNameDomain: domain)
        published.asksForShortNames.withLock { $0 = asks }
        return published
    }

    @Test("P7: what can be a short name: a user's name everywhere, and never one of a group of entralogin's")
    func shape() {
        let isShort = { (name: String) in name.withCString { entralogin_name_is_short($0, name.utf8.count) != 0 } }
        for name in ["a", "alice", "alice.smith", "a-b", "a1", String(repeating: "a", count: 32)] {
            #expect(isShort(name) && ShortName(name) != nil, "\(name)")
        }
        for name in [
            "", "Alice", "1a", "-a", ".a", "a.", "a-", "a_b", "a b", "a@b", "a:b", "a\n", "ä", "a,b", "a'b", "a/b",
            "systemd",
            "systemd-x", String(repeating: "a", count: 33), "0f8fad5b-d9cb-469f-a165-70867728950e", "a\0b",
        ] {
            #expect(!isShort(name) && ShortName(name) == nil, "\(name)")
        }
    }

    @Test("The short name and the whole one lead to one record, as user and as group; a foreign domain's to none")
    func names() throws {
        let published = try published()
        let alice = PasswdRecord(published.accounts[0])
        #expect(alice.name == "alice")
        for name in ["alice", "alice@contoso.com"] {
            #expect(published.passwd(name) == .found(alice))
            #expect(published.group(name) == .found(GroupRecord(name: "alice", gid: alice.gid)))
            let groups = published.initgroups(name, primary: alice.gid).groups
            #expect(groups == [ENTRALOGIN_USERS_GID, ENTRALOGIN_SHORT_GID, ENTRALOGIN_ADMINS_GID])
        }
        #expect(published.passwd(uid: alice.uid) == .found(alice))
        #expect(published.passwd("carol@contoso.com").record?.name == "carol@contoso.com")
        #expect(
            published.initgroups("carol@contoso.com", primary: published.accounts[1].uid.number).groups == [
                ENTRALOGIN_USERS_GID
            ]
        )
        for name in ["alice@fabrikam.com", "carol", "alic", "alice@contoso.co", "Alice", "bob"] {
            #expect(published.passwd(name) == .notFound, "\(name)")
        }
        let group = GroupRecord(name: ENTRALOGIN_SHORT_GROUP, gid: ENTRALOGIN_SHORT_GID)
        #expect(published.group(ENTRALOGIN_SHORT_GROUP) == .found(group))
        #expect(published.group(gid: ENTRALOGIN_SHORT_GID) == .found(group))
    }

    @Test("The service without short names does not tell of them, by name, by number or in a list")
    func hidden() throws {
        let published = try published(asks: false)
        let alice = published.accounts[0]
        for name in ["alice", "alice@contoso.com"] {
            #expect(published.passwd(name) == .notFound)
            #expect(published.group(name) == .notFound)
            #expect(published.initgroups(name, primary: alice.uid.number).groups == [])
        }
        #expect(published.passwd(uid: alice.uid.number) == .notFound)
        #expect(published.group(gid: alice.uid.number) == .notFound)
        #expect(published.group(ENTRALOGIN_SHORT_GROUP) == .notFound)
        #expect(published.group(gid: ENTRALOGIN_SHORT_GID) == .notFound)
        var (cursor, names): (UInt64, [String]) = (0, [])
        while let record = published.nextPasswd(&cursor).record { names.append(record.name) }
        #expect(names == ["carol@contoso.com"])
    }

    @Test("P8: a local user's groups cost not even a look at the files, whatever they are")
    func foreign() throws {
        let published = try published()
        published.folder.write([1, 2, 3], to: "accounts")
        for primary: UInt32 in [0, 1_000, 65_534] {
            #expect(published.initgroups("alice", primary: primary).status == NSS_STATUS_NOTFOUND)
        }
        #expect(published.initgroups("alice", primary: published.accounts[0].uid.number).status == NSS_STATUS_UNAVAIL)
    }

    @Test("P8: outside sshd the daemon is never asked about a name that may be anybody's")
    func outside() throws {
        let daemon = FakeDaemon { _ in .silence }
        defer { daemon.stop() }
        let published = try published()
        #expect(daemon.withServer { published.passwd("bob", server: $0) } == .notFound)
        #expect(daemon.requests.isEmpty)
    }

    @Test("A file without a domain, or with a broken one, has whole names alone")
    func withoutDomain() throws {
        let published = try published(domain: nil)
        #expect(published.passwd("alice@contoso.com").record?.name == "alice@contoso.com")
        #expect(published.passwd("alice") == .notFound)
    }
}

@Suite("Short names in PAM") struct ShortNamesPAMTests {
    private typealias Verdict = (result: Int32, user: String?, lines: [String], requests: [[UInt8]])

    private func ask(
        _ stage: FakeStack.Stage = .account,
        user: String,
        service: String = "sshd",
        invoking: String? = nil,
        shortNames: Bool = true
    ) -> Verdict {
        let opcode = stage == .account ? ENTRALOGIN_AUTHORIZE : ENTRALOGIN_OPEN_SESSION
        let daemon = FakeDaemon { _ in .frame(Frame.verdict(ENTRALOGIN_VERDICT_ALLOW).bytes(opcode)) }
        defer { daemon.stop() }
        let stack = FakeStack(service: service, user: user, invoking: invoking)
        let result = daemon.withServer { stack.run(stage, $0, shortNames: shortNames) }
        return (result, stack.user, stack.lines, daemon.requests)
    }

    @Test("Both spellings are asked about by the short one, which PAM_USER is from then on")
    func spellings() {
        for user in ["sue", "sue@contoso.com"] {
            let verdict = ask(user: user)
            #expect(verdict.result == PAM_SUCCESS && verdict.user == "sue" && verdict.requests.count == 1)
            let question = Frame().string("sshd").string("sue").u32(FakeStack.sue.uid).string("/home/sue").string("")
                .u32(ENTRALOGIN_NO_ID).u16(ENTRALOGIN_PAM_IN_SSHD).string("ssh").string("192.0.2.7")
            #expect(verdict.requests == [question.bytes(ENTRALOGIN_AUTHORIZE, reply: false)])
            #expect(ask(.open, user: user).result == PAM_SUCCESS)
        }
    }

    @Test("P8: other users are ignored, and the daemon hears nothing; without the argument no name is a short one")
    func others() {
        for user in ["bob", "root", "nobody.knows", "theirs", "Sue"] {
            for stage in [FakeStack.Stage.account, .open] {
                let verdict = ask(stage, user: user)
                #expect(verdict.result == PAM_IGNORE && verdict.requests.isEmpty && verdict.lines.isEmpty, "\(user)")
            }
        }
        #expect(ask(user: "sue", shortNames: false).result == PAM_IGNORE)
        let misspelt = ask(user: "sue@contoso.com", shortNames: false)
        #expect(misspelt.result == PAM_PERM_DENIED && misspelt.requests.isEmpty)
    }

    @Test("P7: a whole name whose short one leads to somebody else is refused, whatever the daemon says; sshd tells it")
    func taken() {
        for (stage, result) in [(FakeStack.Stage.account, PAM_PERM_DENIED), (.open, PAM_SESSION_ERR)] {
            let verdict = ask(stage, user: "tim@contoso.com")
            #expect(verdict.result == result && verdict.requests.count == (stage == .account ? 1 : 0))
            #expect(verdict.lines.contains { $0.contains("another user of this machine has your short name") })
        }
        let elsewhere = ask(user: "tim@contoso.com", service: "su")
        #expect(elsewhere.result == PAM_PERM_DENIED && elsewhere.requests.isEmpty)
        #expect(ask(user: "tim").result == PAM_IGNORE, "the local user")
    }

    @Test("P2: a name that the caller's limits keep from being looked up is nobody's local user")
    func starved() {
        #expect(ask(user: FakeStack.starved).result == PAM_USER_UNKNOWN)
        let verdict = ask(user: "root", service: "sudo", invoking: FakeStack.starved)
        #expect(verdict.result != PAM_IGNORE)
    }

    @Test("sudo by a short name: its user is asked about")
    func sudo() {
        let verdict = ask(user: "sue", service: "sudo", invoking: "sue")
        #expect(verdict.result == PAM_SUCCESS && verdict.requests.count == 1)
    }
}
