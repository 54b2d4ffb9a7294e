// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Glibc
import Identity
import LinuxSystem
import TestSupport
import Testing

@Suite struct LoadingTests {
    let fixture = Fixture()

    /// Requires that all users are refused, nothing is overwritten, and the report says what is wrong and where.
    private func expectFault(_ mention: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let store = fixture.bytes("accounts")
        let snapshot = fixture.bytes("accounts.snapshot")
        fixture.disk.fail(at: nil)
        let directory = fixture.start()
        #expect(try directory.reason("alice@contoso.com") == .storeUnreadable, sourceLocation: sourceLocation)
        #expect(try directory.reason("bob@contoso.com") == .storeUnreadable, sourceLocation: sourceLocation)
        #expect(directory.view().allEnrolled().isEmpty, sourceLocation: sourceLocation)
        let account = Account(
            name: try name("bob@contoso.com"),
            uid: try #require(PosixID(user: PosixID.userRange.lowerBound)),
            displayName: "",
            home: "/home/bob@contoso.com",
            shell: "/bin/bash"
        )
        let enrolment = await reason { _ = try await directory.enrol(account, as: try identity(2)) }
        #expect(enrolment == .storeUnreadable, sourceLocation: sourceLocation)
        let retirement = await reason { _ = try await directory.retire(account.name) }
        #expect(retirement == .storeUnreadable, sourceLocation: sourceLocation)
        await directory.refresh()
        #expect(
            directory.report().fault?.contains(mention) == true,
            "\(directory.report())",
            sourceLocation: sourceLocation
        )
        #expect(fixture.disk.reached.isEmpty, sourceLocation: sourceLocation)
        #expect(fixture.bytes("accounts") == store, sourceLocation: sourceLocation)
        #expect(fixture.bytes("accounts.snapshot") == snapshot, sourceLocation: sourceLocation)
    }

    private func enrolSome() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        try await directory.signIn("bob@contoso.com", as: 2)
    }

    @Test("P14: a damaged store is a named fault, and nothing is overwritten")
    func damaged() async throws {
        try await enrolSome()
        var bytes = try #require(fixture.bytes("accounts"))
        bytes[100] ^= 1
        try AtomicFile("\(fixture.folder.path)/accounts").replace(with: bytes, mode: 0o600)
        try await expectFault("accounts: line ")
    }

    @Test("P5: a store that is missing where accounts were published is a fault, not a new beginning")
    func missing() async throws {
        try await enrolSome()
        try AtomicFile("\(fixture.folder.path)/accounts").remove()
        try await expectFault("missing")
        try AtomicFile("\(fixture.folder.path)/accounts.snapshot").remove()
        #expect(fixture.start().report().fault == nil)
    }

    @Test("P5: a store that is older than what was published is a fault")
    func rolledBack() async throws {
        let old: [UInt8]?
        do {
            let directory = fixture.start()
            try await directory.signIn("alice@contoso.com", as: 1)
            old = fixture.bytes("accounts")
            try await directory.signIn("bob@contoso.com", as: 2)
        }
        try AtomicFile("\(fixture.folder.path)/accounts").replace(with: try #require(old), mode: 0o600)
        try await expectFault("older")
    }

    @Test("P13: an empty store, a folder, a link, a FIFO or a writable file in its place is a fault")
    func strangeStores() async throws {
        try await enrolSome()
        let path = "\(fixture.folder.path)/accounts"
        let bytes = try #require(fixture.bytes("accounts"))
        try AtomicFile(path).replace(with: [], mode: 0o600)
        try await expectFault("line 1")
        try AtomicFile(path).replace(with: bytes, mode: 0o666)
        try await expectFault("lets others write it")
        #expect(rename(path, path + ".aside") == 0)
        #expect(mkfifo(path, 0o600) == 0)
        try await expectFault("not a plain file")
        #expect(unlink(path) == 0)
        #expect(symlink(path + ".aside", path) == 0)
        try await expectFault("not a plain file")
    }

    @Test("P14: a store of a later version is left alone")
    func laterVersion() async throws {
        fixture.write("entralogin-accounts 2\nwhatever\n", to: "accounts")
        try await expectFault("version \"2\"")
    }

    @Test("P14: a repaired store is read by the next refresh, without a restart")
    func repair() async throws {
        try await enrolSome()
        let bytes = try #require(fixture.bytes("accounts"))
        try AtomicFile("\(fixture.folder.path)/accounts").replace(with: Array(bytes.dropLast()), mode: 0o600)
        let directory = fixture.start()
        #expect(directory.report().fault != nil)
        try AtomicFile("\(fixture.folder.path)/accounts").replace(with: bytes, mode: 0o600)
        await directory.refresh()
        #expect(directory.report().fault == nil)
        #expect(directory.view().allEnrolled().count == 2)
    }

    @Test("P14: a lost or damaged snapshot is published again")
    func lostSnapshot() async throws {
        try await enrolSome()
        let path = "\(fixture.folder.path)/accounts.snapshot"
        for damage in [nil, Array("junk".utf8)] {
            try AtomicFile(path).remove()
            if let damage { try AtomicFile(path).replace(with: damage, mode: 0o644) }
            _ = fixture.start()
            #expect(PublishedAccounts(path)?.count == 2)
        }
        let directory = fixture.start()
        let generation = PublishedAccounts(path)?.generation
        try AtomicFile(path).remove()
        await directory.refresh()
        #expect(PublishedAccounts(path)?.count == 2)
        #expect(PublishedAccounts(path)?.generation == generation.map { $0 + 1 })
    }

    @Test("P7: what a refresh has to see is news until it has seen it: local files, the published file, sign-ins")
    func news() async throws {
        try await enrolSome()
        let directory = fixture.start()
        await directory.refresh()
        await directory.flushSignIns()
        #expect(!directory.hasNews)
        let changes: [() throws -> Void] = [
            { fixture.write("root:x:0:0::/root:/bin/sh\nlisa:x:1000:1000::/home/lisa:/bin/sh\n", to: "passwd") },
            { fixture.write("root:x:0:\nlisa:x:1000:\n", to: "group") },
            { try AtomicFile("\(fixture.folder.path)/accounts.snapshot").remove() },
            { directory.noteSignIn(try identity(1), at: UnixTime(seconds: 1_800_000_000)) },
        ]
        for change in changes {
            try change()
            #expect(directory.hasNews)
            await directory.refresh()
            await directory.flushSignIns()
            #expect(!directory.hasNews)
        }
    }

    @Test("P14: a second daemon is refused until the first one is gone")
    func secondDaemon() async throws {
        var first: AccountDirectory? = fixture.start()
        try await first?.signIn("alice@contoso.com", as: 1)
        let second = fixture.start()
        #expect(second.report().fault?.contains("another entralogind") == true)
        #expect(try second.reason("alice@contoso.com") == .storeUnreadable)
        first = nil
        await second.refresh()
        #expect(second.view().allEnrolled().count == 1)
    }

    @Test("P14: a first start on a full disk lets nobody in, and recovers")
    func fullDiskAtFirst() async throws {
        fixture.disk.fail("", with: .noSpace)
        let directory = fixture.start()
        #expect(directory.report().fault?.contains("No space left") == true)
        #expect(try directory.reason("alice@contoso.com") == .storeUnreadable)
        fixture.disk.fail(nil)
        await directory.refresh()
        try await directory.signIn("alice@contoso.com", as: 1)
    }

    @Test func `an unchanged snapshot is not written again by a restart`() async throws {
        try await enrolSome()
        fixture.disk.fail(at: nil)
        _ = fixture.start()
        #expect(fixture.disk.reached.isEmpty)
    }

    @Test func `generations grow with every publication, over restarts too`() async throws {
        let path = "\(fixture.folder.path)/accounts.snapshot"
        var seen: [UInt64] = []
        for round in 0..<3 {
            let directory = fixture.start(policy: AccountPolicy(usersGroupName: "entra_\(round)"))
            seen.append(PublishedAccounts(path)?.generation ?? 0)
            try await directory.signIn("p\(round)@contoso.com", as: round)
            seen.append(PublishedAccounts(path)?.generation ?? 0)
        }
        #expect(seen == seen.sorted())
        #expect(Set(seen).count == seen.count)
    }
}
