// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import LinuxSystem
import TestSupport
import Testing

/// Accounts that root adds before their first sign-in.
@Suite struct AddingTests {
    let fixture = Fixture()
    private let alice = "alice@contoso.com"

    private func add(_ text: String, _ number: Int, in directory: AccountDirectory) async throws -> AddedAccount {
        try await directory.add(try name(text), as: try identity(number).objectID)
    }

    private var published: [String]? { PublishedAccounts(fixture.folder("accounts.snapshot"))?.all.map(\.name) }

    @Test(
        "P5: an account that root adds has the number and home of a sign-in, and its person's sign-in finds it as it is"
    )
    func added() async throws {
        let directory = fixture.start()
        let expected = try directory.provisional(alice)
        let added = try await add(alice, 1, in: directory)
        #expect(added.isNew && added.enrolled.isAdded && added.enrolled.account == expected)
        #expect(published == [alice])
        let store = fixture.bytes("accounts")
        #expect(try await directory.signIn(alice, as: 1) == added.enrolled)
        #expect(fixture.bytes("accounts") == store, "P14: the sign-in writes nothing")
        #expect(await reason { try await directory.signIn(alice, as: 2) } == .objectIDChanged)
    }

    @Test("P5: it stays added over restarts, renamings, locks, retirement and a new shell, home or object")
    func kept() async throws {
        var directory: AccountDirectory? = fixture.start()
        _ = try await add(alice, 1, in: try #require(directory))
        let (old, new) = (try name(alice), try name("alicia@contoso.com"))
        var found: [EnrolledAccount] = []
        if let directory {
            found.append(try await directory.lock(old, true))
            found.append(try await directory.lock(old, false))
            found.append(try await directory.rename(old, to: new))
            found.append(try await directory.set(shell: "/bin/zsh", of: new))
            found.append(try await directory.set(home: "/data/alice", of: new))
            found.append(try await directory.retire(new))
            found.append(try await directory.rebind(new, to: try identity(3).objectID))
        }
        #expect(found.count == 7 && found.allSatisfy(\.isAdded))
        directory = nil
        directory = fixture.start()
        #expect(directory?.view().allEnrolled() == [try #require(found.last)])
    }

    @Test("P5: adding the same again returns the account and writes nothing; so does adding who has signed in")
    func again() async throws {
        let directory = fixture.start()
        let first = try await add(alice, 1, in: directory)
        let bob = try await directory.signIn("bob@contoso.com", as: 2)
        let store = fixture.bytes("accounts")
        for (text, number, enrolled) in [(alice, 1, first.enrolled), ("bob@contoso.com", 2, bob)] {
            let again = try await add(text, number, in: directory)
            #expect(!again.isNew && again.enrolled == enrolled)
        }
        #expect(!bob.isAdded && fixture.bytes("accounts") == store)
    }

    @Test(
        "P5: a name or an object that is bound otherwise is refused with the command that could help, and nothing is written"
    )
    func bound() async throws {
        let directory = fixture.start()
        for (number, text) in ["alice", "bob", "carol", "dora"].enumerated() {
            _ = try await add("\(text)@contoso.com", number, in: directory)
        }
        _ = try await directory.retire(try name("bob@contoso.com"))
        _ = try await directory.lock(try name("carol@contoso.com"), true)
        _ = try await directory.rename(try name("dora@contoso.com"), to: try name("dorothy@contoso.com"))
        let store = fixture.bytes("accounts")
        for (text, number, expected, command) in [
            (alice, 9, DenialReason.objectIDChanged, "users rebind alice@contoso.com --object-id"),
            ("eve@contoso.com", 0, .objectIDChanged, "users rename alice@contoso.com eve@contoso.com"),
            ("eve@contoso.com", 1, .accountRetired, "users rebind bob@contoso.com"),
            ("bob@contoso.com", 1, .accountRetired, "users rebind bob@contoso.com"),
            ("carol@contoso.com", 2, .accountLocked, "users unlock carol@contoso.com"),
            ("dora@contoso.com", 3, .wrongName, "users rename dorothy@contoso.com dora@contoso.com"),
        ] {
            do {
                _ = try await add(text, number, in: directory)
                Issue.record("\(text) was added for \(number)")
            } catch let denial as Denial {
                #expect(denial.reason == expected && denial.detail.contains(command), "\(text): \(denial)")
            }
        }
        #expect(fixture.bytes("accounts") == store)
    }

    @Test("P7: a name that is a local account's, another directory's or of a domain that may not sign in is not added")
    func foreign() async throws {
        fixture.write("local@contoso.com:x:1001:1001::/home/l:/bin/sh\n", to: "passwd")
        let directory = fixture.start(policy: AccountPolicy(domains: ["contoso.com"]))
        fixture.neighbours.say(.somebody("70001"), of: "theirs@contoso.com")
        fixture.neighbours.say(.unknown("did not end in time"), of: "silent@contoso.com")
        for (text, expected) in [
            ("local@contoso.com", DenialReason.localAccount), ("theirs@contoso.com", .localAccount),
            ("silent@contoso.com", .enrolmentFailed), ("eve@fabrikam.com", .domainNotAllowed),
        ] {
            #expect(await reason { _ = try await add(text, 1, in: directory) } == expected, "\(text)")
        }
        #expect(directory.view().allEnrolled().isEmpty)
        // Another name service returns the account's own record: a cache kept it from sshd's lookup.
        fixture.neighbours.say(.somebody(String(try directory.provisional(alice).uid.number)), of: alice)
        #expect(try await add(alice, 1, in: directory).isNew)
    }

    @Test("P5: a number that another directory has is passed over, and the next one is asked about, too")
    func numbers() async throws {
        let directory = fixture.start()
        let first = try directory.provisional(alice).uid.number
        fixture.neighbours.say(.somebody("theirs"), of: first)
        let added = try await add(alice, 1, in: directory).enrolled.account.uid.number
        #expect(added / IDAllocation.othersBlock != first / IDAllocation.othersBlock)
        #expect(fixture.neighbours.asked == [first, added])
    }

    @Test("P5: where no number is left, nothing is added, and IDRange= is named")
    func noNumbers() async throws {
        let first = PosixID.userRange.lowerBound
        let directory = fixture.start(policy: AccountPolicy(numbers: first...first))
        _ = try await add(alice, 1, in: directory)
        #expect(await reason { _ = try await add("bob@contoso.com", 2, in: directory) } == .idsExhausted)
        #expect(directory.view().allEnrolled().count == 1)
        let beside = Fixture()
        beside.neighbours.say(.somebody("theirs"), of: first)
        let narrow = beside.start(policy: AccountPolicy(numbers: first...first))
        #expect(await reason { _ = try await add(alice, 1, in: narrow) } == .idsExhausted)
        #expect(narrow.view().allEnrolled().isEmpty)
    }

    @Test("P5: without a tenant nobody's object id means anything, so nothing is added")
    func noTenant() async throws {
        let directory = fixture.start()
        directory.update(tenant: nil)
        #expect(await reason { _ = try await add(alice, 1, in: directory) } == .machineUnknown)
    }

    @Test("P5: a person whom root's list of mapped accounts has under another name or object is not added beside it")
    func listed() async throws {
        fixture.write("entralogin-adopted 1\nmapped@contoso.com:\(try identity(5).objectID):1005\n", to: "adopted")
        let directory = fixture.start()
        #expect(await reason { _ = try await add(alice, 5, in: directory) } == .objectIDChanged)
    }

    @Test("P14: killed at any step of adding, the account is there whole or not at all, and adding it again ends well")
    func killed() async throws {
        let directory = fixture.start()
        try await directory.signIn("bob@contoso.com", as: 2)
        fixture.disk.fail(at: nil)
        _ = try await add("first@contoso.com", 50, in: directory)
        for (index, step) in fixture.disk.reached.enumerated() {
            let text = "p\(index)@contoso.com"
            fixture.disk.fail(at: index)
            #expect(await reason { _ = try await add(text, 100 + index, in: directory) } == .enrolmentFailed, "\(step)")
            let added = try await add(text, 100 + index, in: directory).enrolled
            #expect(directory.view().standing(of: try name(text)) == .enrolled(added), "\(step)")
            #expect(published?.contains(text) == true, "\(step)")
        }
        #expect(fixture.folder.names.allSatisfy { !$0.hasSuffix(".new") })
    }

    @Test("P16: the last sign-in of an added account is unknown until there was one; its age counts from the adding")
    func signIns() async throws {
        let directory = fixture.start()
        let added = try await add(alice, 1, in: directory).enrolled
        #expect(directory.knownSignIn(added) == nil)
        #expect(directory.lastSignIn(added.identity) == added.enrolledAt)
        let later = added.enrolledAt.adding(seconds: 60)
        directory.noteSignIn(added.identity, at: later)
        #expect(directory.knownSignIn(added) == later)
        let bob = try await directory.signIn("bob@contoso.com", as: 2)
        #expect(directory.knownSignIn(bob) == bob.enrolledAt)
    }
}
