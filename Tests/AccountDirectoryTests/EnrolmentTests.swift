// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import LinuxSystem
import TestSupport
import Testing

@Suite struct EnrolmentTests {
    let fixture = Fixture()

    @Test("P14: an enrolment is on disk, then published, then returned")
    func order() async throws {
        let directory = fixture.start()
        let account = try directory.provisional("alice@contoso.com")
        fixture.disk.fail(at: nil)
        let enrolled = try await directory.enrol(account, as: try identity(1))
        let steps = fixture.disk.reached
        let stored = try #require(steps.firstIndex { $0 == "sync folder \(fixture.folder.path)/accounts" })
        let published = try #require(steps.firstIndex { $0.hasSuffix("accounts.snapshot") })
        #expect(stored < published)
        #expect(enrolled.enrolledAt == fixture.clock.wallTime())
        #expect(directory.view().enrolled(uid: account.uid.number) == enrolled)
        #expect(directory.view().standing(of: account.name) == .enrolled(enrolled))
        #expect(directory.view().allEnrolled() == [enrolled])
        #expect(PublishedAccounts("\(fixture.folder.path)/accounts.snapshot")?.all.map(\.name) == ["alice@contoso.com"])
    }

    @Test("P5: the binding outlives the daemon")
    func restart() async throws {
        var first: AccountDirectory? = fixture.start()
        let enrolled = try await first?.signIn("alice@contoso.com", as: 1)
        first = nil
        let second = fixture.start()
        #expect(second.view().allEnrolled() == [enrolled])
        #expect(second.report().fault == nil)
    }

    @Test("P14: an enrolled person's sign-in writes nothing, so a full disk locks nobody out")
    func fullDisk() async throws {
        var first: AccountDirectory? = fixture.start()
        let enrolled = try await first?.signIn("alice@contoso.com", as: 1)
        fixture.disk.fail("", with: .noSpace)
        #expect(try await first?.signIn("alice@contoso.com", as: 1) == enrolled)
        first = nil
        let second = fixture.start()
        #expect(try await second.signIn("alice@contoso.com", as: 1) == enrolled)
        #expect(fixture.disk.reached.isEmpty)
        #expect(await reason { try await second.signIn("bob@contoso.com", as: 2) } == .enrolmentFailed)
        #expect(second.report().enrolmentFaults.contains { $0.contains("No space left on device") })
        fixture.disk.fail(nil)
        try await second.signIn("bob@contoso.com", as: 2)
        #expect(second.report().warnings.isEmpty && second.report().enrolmentFaults.isEmpty)
    }

    @Test("P14: an enrolled person's sign-in waits for no disk, whatever it is doing for others")
    func noDisk() async throws {
        let directory = fixture.start()
        let enrolled = try await directory.signIn("alice@contoso.com", as: 1)
        let works = fixture.disk.works
        #expect(try await directory.signIn("alice@contoso.com", as: 1) == enrolled)
        let other = try identity(2)
        #expect(await reason { _ = try await directory.enrol(enrolled.account, as: other) } == .objectIDChanged)
        #expect(fixture.disk.works == works)
        // This holds only once the account was published: until then, its sign-in needs the disk.
        fixture.disk.fail("accounts.snapshot")
        #expect(await reason { try await directory.signIn("bob@contoso.com", as: 2) } == .enrolmentFailed)
        #expect(await reason { try await directory.signIn("bob@contoso.com", as: 2) } == .enrolmentFailed)
        fixture.disk.fail(nil)
        try await directory.signIn("bob@contoso.com", as: 2)
    }

    @Test("P5: the same name with another object id is refused and explained")
    func nameReuse() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        #expect(await reason { try await directory.signIn("alice@contoso.com", as: 2) } == .objectIDChanged)
        let mine = directory.view().standing(of: try name("alice@contoso.com"))
        #expect(mine == .enrolled(try #require(directory.view().allEnrolled().first)))
    }

    @Test("P5: a certificate of another tenant enrols nobody")
    func foreignTenant() async throws {
        let directory = fixture.start()
        let account = try directory.provisional("alice@contoso.com")
        let stranger = try identity(1, tenant: "9b1c3d5e-0000-4000-8000-000000000002")
        #expect(await reason { _ = try await directory.enrol(account, as: stranger) } == .wrongTenant)
        #expect(directory.view().allEnrolled().isEmpty)
    }

    @Test("P6: a record that is not the one that would be given now is refused")
    func changedRecord() async throws {
        let directory = fixture.start()
        let account = try directory.provisional("alice@contoso.com")
        let uid = try #require(PosixID(user: account.uid.number + 1))
        for wrong in [
            Account(name: account.name, uid: uid, displayName: "", home: account.home, shell: account.shell),
            Account(name: account.name, uid: account.uid, displayName: "", home: "/home/x", shell: account.shell),
        ] {
            #expect(await reason { _ = try await directory.enrol(wrong, as: try identity(1)) } == .recordChanged)
        }
        fixture.write("svc:x:\(account.uid.number):100::/:/bin/false\n", to: "passwd")
        #expect(await reason { _ = try await directory.enrol(account, as: try identity(1)) } == .recordChanged)
        #expect(directory.view().allEnrolled().isEmpty)
        fixture.write("", to: "passwd")
        try await directory.signIn("alice@contoso.com", as: 1)
        let wrong = Account(name: account.name, uid: uid, displayName: "", home: account.home, shell: account.shell)
        #expect(await reason { _ = try await directory.enrol(wrong, as: try identity(1)) } == .recordChanged)
    }

    @Test("P6: of two names that race for one uid, one enrols and the other tries again")
    func race() async throws {
        let directory = fixture.start()
        // sshd got the first name's uid for the second name, too, because of a local file that is gone by now.
        let alice = try directory.provisional("alice@contoso.com")
        let taken = Account(
            name: try name("bob@contoso.com"),
            uid: alice.uid,
            displayName: "",
            home: "/home/b",
            shell: "/s"
        )
        try await directory.signIn("alice@contoso.com", as: 1)
        #expect(await reason { _ = try await directory.enrol(taken, as: try identity(2)) } == .recordChanged)
        let bob = try await directory.signIn("bob@contoso.com", as: 2)
        #expect(bob.account.uid != alice.uid)
    }

    @Test("P5: many at once get one number each, and the store holds all of them")
    func concurrency() async throws {
        var directory: AccountDirectory? = fixture.start()
        let shared = try #require(directory)
        try await withThrowingTaskGroup(of: EnrolledAccount.self) { group in
            for number in 0..<50 {
                // Five attempts of each of ten people.
                group.addTask { try await shared.signIn("p\(number % 10)@contoso.com", as: number % 10) }
            }
            for try await _ in group {}
        }
        let all = shared.view().allEnrolled()
        #expect(all.count == 10)
        #expect(Set(all.map(\.account.uid)).count == 10)
        #expect(shared.report().generation == 10)
        #expect(PublishedAccounts("\(fixture.folder.path)/accounts.snapshot")?.count == 10)
        withExtendedLifetime(shared) { directory = nil }
    }

    @Test("P13: a display name from the directory cannot break a record")
    func displayName() async throws {
        let directory = fixture.start()
        let account = try directory.provisional("alice@contoso.com")
        let named = Account(
            name: account.name,
            uid: account.uid,
            displayName: "Alice:0:0\nroot::0:0:, 100% \u{202e}田",
            home: account.home,
            shell: "/bin/other"
        )
        let enrolled = try await directory.enrol(named, as: try identity(1))
        #expect(enrolled.account.displayName == "Alice 0 0 root 0 0 100% 田")
        #expect(enrolled.account.shell == "/bin/bash")
        let published = PublishedAccounts("\(fixture.folder.path)/accounts.snapshot")
        #expect(published?.all.first?.gecos == enrolled.account.displayName)
    }

    @Test("P13: what the strict reader would refuse is never written")
    func badShell() async throws {
        let directory = fixture.start(policy: AccountPolicy(shell: "/bin/ba sh:x"))
        let before = fixture.bytes("accounts")
        #expect(await reason { try await directory.signIn("alice@contoso.com", as: 1) } == .enrolmentFailed)
        #expect(fixture.bytes("accounts") == before)
    }

    @Test("P7: accounts that a local one shadows are not published, and come back when it goes")
    func shadowing() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        try await directory.signIn("bob@contoso.com", as: 2)
        let snapshot = "\(fixture.folder.path)/accounts.snapshot"
        let shadows = [
            ("passwd", "alice@contoso.com:x:5:5::/a:/bin/sh"), ("passwd", "Alice@Contoso.com:x:5:5::/a:/bin/sh"),
            ("passwd", "svc:x:\(alice.account.uid):5::/a:/bin/sh"), ("group", "alice@contoso.com:x:5:"),
            ("group", "svc:x:\(alice.account.uid):"),
        ]
        for (file, line) in shadows {
            fixture.write("other:x:6:6::/:/bin/sh\n\(line)\n", to: file)
            await directory.refresh()
            #expect(PublishedAccounts(snapshot)?.all.map(\.name) == ["bob@contoso.com"], "\(line)")
            #expect(directory.report().shadowed == [alice.account.name], "\(line)")
            fixture.write("", to: file)
            await directory.refresh()
            #expect(PublishedAccounts(snapshot)?.all.map(\.name) == ["alice@contoso.com", "bob@contoso.com"])
        }
        fixture.write("entra_admins:x:900:local\n", to: "group")
        #expect(directory.report().shadowedGroups == ["entra_admins"])
    }

    @Test("P14: what was never published is not let in; what was, is, whatever becomes of the file")
    func publication() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        fixture.disk.fail("accounts.snapshot", with: .inputOutput)
        #expect(await reason { try await directory.signIn("bob@contoso.com", as: 2) } == .enrolmentFailed)
        #expect(await reason { try await directory.signIn("bob@contoso.com", as: 2) } == .enrolmentFailed)
        #expect(try await directory.signIn("alice@contoso.com", as: 1) == alice)
        #expect(directory.report().enrolmentFaults.contains { $0.contains("accounts.snapshot") })
        fixture.disk.fail(nil)
        try await directory.signIn("bob@contoso.com", as: 2)
        #expect(PublishedAccounts("\(fixture.folder.path)/accounts.snapshot")?.count == 2)
        #expect(directory.report().warnings.isEmpty && directory.report().enrolmentFaults.isEmpty)
    }
}
