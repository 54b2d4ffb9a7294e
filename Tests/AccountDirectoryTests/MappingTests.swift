// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import CSnapshot
import Glibc
import Identity
import TestSupport
import Testing

/// Mapped accounts: local accounts with their old uid, which root's list makes Entra accounts.
@Suite("P7: Mapped accounts")
struct MappingTests {
    private static let alice = "alice@contoso.com"
    private static let passwd =
        "root:x:0:0:root:/root:/bin/bash\nlocal:x:1000:1000::/home/local:/bin/bash\n"
        + "\(alice):!*adopted:1001:1001:Alice:/home/alice:/bin/zsh\n"
    private static let group = "root:x:0:\nlocal:x:1000:\n\(alice):*:1001:\n"

    private func list(_ name: String = alice, _ number: Int = 1, uid: UInt32 = 1001) throws -> String {
        "\(MappingList.firstLine)\n\(name):\(try identity(number).objectID):\(uid)\n"
    }

    private func fixture(passwd: String = passwd, group: String = group, list: String?) -> Fixture {
        let fixture = Fixture()
        fixture.write(passwd, to: "passwd")
        fixture.write(group, to: "group")
        if let list { fixture.write(list, to: "adopted") }
        return fixture
    }

    @Test("Listed and agreeing: the record is the local files', the number of entralogin's range stays inside")
    func mapped() async throws {
        let fixture = fixture(list: try list())
        let directory = fixture.start()
        let before = try directory.provisional(Self.alice)
        #expect(before.systemUID == 1001 && before.home == "/home/alice" && before.shell == "/bin/zsh")
        let enrolled = try await directory.signIn(Self.alice, as: 1)
        #expect(enrolled.account == before && enrolled.account.uid.number != 1001)
        #expect(directory.view().enrolled(uid: before.uid.number)?.account.systemUID == 1001)
        #expect(directory.view().holder(ofSystemUID: 1001) == .enrolled(enrolled))
        #expect(directory.view().holder(ofSystemUID: before.uid.number) == .enrolled(enrolled))
        #expect(directory.view().holder(ofSystemUID: 1000) == .other)
        let works = fixture.disk.works
        #expect(try await directory.signIn(Self.alice, as: 1) == enrolled)
        #expect(fixture.disk.works == works, "P14: an enrolled person's sign-in waits for no disk")
        #expect(directory.report().shadowed.isEmpty && directory.report().warnings.isEmpty)
        // A change that root makes in /etc/passwd takes effect.
        fixture.write(Self.passwd.replacing("/bin/zsh", with: "/bin/sh"), to: "passwd")
        #expect(try directory.provisionalOrEnrolled(Self.alice).shell == "/bin/sh")
    }

    @Test("P14: After a restart it is the same account")
    func restarted() async throws {
        let fixture = fixture(list: try list())
        let before = try await fixture.start().signIn(Self.alice, as: 1)
        #expect(try fixture.start().provisionalOrEnrolled(Self.alice) == before.account)
    }

    @Test("The published record is for groups alone")
    func published() async throws {
        let fixture = fixture(list: try list())
        let directory = fixture.start(policy: AccountPolicy(enumerate: true))
        let number = try await directory.signIn(Self.alice, as: 1).account.uid.number
        try await directory.signIn("bob@contoso.com", as: 2)
        let file = try #require(PublishedAccounts(fixture.folder("accounts.snapshot"), asking: [Self.alice]))
        #expect(file.byName[Self.alice]?.home == ENTRALOGIN_GROUPS_ALONE && file.byName[Self.alice]?.uid == number)
        #expect(file.all.count == 2)
        // Removed from both files, the name has entralogin's own uid again, but its home belongs to the old uid.
        fixture.write("\(MappingList.firstLine)\n", to: "adopted")
        fixture.write("root:x:0:0:root:/root:/bin/bash\n", to: "passwd")
        fixture.write("root:x:0:\n", to: "group")
        await directory.refresh()
        let after = try #require(PublishedAccounts(fixture.folder("accounts.snapshot"), asking: [Self.alice]))
        #expect(after.byName[Self.alice]?.home == "/home/alice")
    }

    @Test("P5: Another object under the name, or the object under another name, is refused and explained")
    func otherObject() async throws {
        let fixture = fixture(list: try list())
        let directory = fixture.start()
        #expect(await reason { try await directory.signIn(Self.alice, as: 2) } == .objectIDChanged)
        #expect(await reason { try await directory.signIn("alice.new@contoso.com", as: 1) } == .objectIDChanged)
        #expect(directory.view().allEnrolled().isEmpty)
        try await directory.signIn(Self.alice, as: 1)
        #expect(await reason { try await directory.signIn(Self.alice, as: 2) } == .objectIDChanged)
        fixture.write(try list(Self.alice, 2), to: "adopted")
        #expect(try directory.reason(Self.alice) == .objectIDChanged)
        #expect(directory.view().holder(ofSystemUID: 1001) == .nobody, "the number is not the first object's any more")
        #expect(await reason { try await directory.signIn(Self.alice, as: 2) } == .objectIDChanged)
        // Root's list and the rebinding together give the account to the new object.
        _ = try await directory.rebind(try name(Self.alice), to: try identity(2).objectID)
        #expect(try await directory.signIn(Self.alice, as: 2).account.systemUID == 1001)
    }

    @Test("Without the list, or with one that cannot be believed, it is a local account: refused")
    func unlisted() async throws {
        for text in [nil, "", "\(MappingList.firstLine)\n", try list() + "damage\n", try list() + (try list())] {
            let fixture = fixture(list: text)
            #expect(try fixture.start().reason(Self.alice) == .localAccount, "\(text ?? "-")")
            #expect(await reason { try await fixture.start().signIn(Self.alice, as: 1) } == .localAccount)
        }
        let fixture = fixture(list: try list() + "damage\n")
        #expect(fixture.start().report().warnings.contains { $0.contains("adopted") && $0.contains("line 3") })
        chmod(fixture.folder("adopted"), 0o646)
        fixture.write(try list(), to: "adopted")
        chmod(fixture.folder("adopted"), 0o646)
        #expect(try fixture.start().reason(Self.alice) == .localAccount)
    }

    @Test("Where list and account files differ in anything, nobody gets in under the name, and it is named")
    func mismatches() async throws {
        let line = "\(Self.alice):!*adopted:1001:1001:Alice:/home/alice:/bin/zsh"
        let users = [
            Self.passwd.replacing(line + "\n", with: ""), Self.passwd + line + "\n",
            Self.passwd.replacing(":1001:1001:", with: ":1002:1002:"),
            Self.passwd.replacing(":1001:1001:", with: ":1001:100:"),
            Self.passwd + "toor:x:1001:0::/:/bin/sh\n", Self.passwd + "x:x:5:5::/home/alice:/bin/sh\n",
            Self.passwd.replacing("/home/alice", with: "/home/../etc"),
            Self.passwd.replacing("alice@c", with: "Alice@c"),
            Self.passwd.replacing("/bin/zsh", with: ""), Self.passwd.replacing("!*adopted", with: "x"),
        ].map { ($0, Self.group) }
        let groups = [
            Self.group.replacing(":1001:", with: ":1002:"), Self.group + "others:x:1001:\n",
        ].map { (Self.passwd, $0) }
        for (passwd, group) in users + groups {
            let fixture = fixture(list: try list())
            let directory = fixture.start()
            try await directory.signIn(Self.alice, as: 1)
            fixture.write(passwd, to: "passwd")
            fixture.write(group, to: "group")
            #expect(try directory.reason(Self.alice) == .recordChanged, "\(passwd) \(group)")
            #expect(await reason { try await directory.signIn(Self.alice, as: 1) } == .recordChanged)
            await directory.refresh()
            let file = try #require(PublishedAccounts(fixture.folder("accounts.snapshot"), asking: [Self.alice]))
            #expect(file.all.isEmpty)
            #expect(directory.report().shadowed.map(\.text) == [Self.alice])
        }
    }

    @Test("P7: What is mapped stays taken for everybody else")
    func others() async throws {
        let fixture = fixture(list: try list())
        let directory = fixture.start(policy: AccountPolicy(homeTemplate: try HomeTemplate("/home/%l")))
        #expect(try directory.provisional("alice@fabrikam.com").home == "/home/alice-entra")
        try await directory.signIn(Self.alice, as: 1)
        let alice = try name(Self.alice)
        #expect(await reason { _ = try await directory.set(shell: "/bin/sh", of: alice) } == .unsupported)
        #expect(await reason { _ = try await directory.set(home: "/home/x", of: alice) } == .unsupported)
        let new = try name("new@contoso.com")
        #expect(await reason { _ = try await directory.rename(try name(Self.alice), to: new) } == .unsupported)
        _ = try await directory.retire(try name(Self.alice))
        #expect(try directory.reason(Self.alice) == .accountRetired)
    }
}

extension AccountDirectory {
    /// The record that sshd would get.
    fileprivate func provisionalOrEnrolled(_ text: String) throws -> Account {
        if case .enrolled(let enrolled) = view().standing(of: try name(text)) { return enrolled.account }
        return try provisional(text)
    }
}
