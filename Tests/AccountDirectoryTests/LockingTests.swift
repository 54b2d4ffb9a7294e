// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import TestSupport
import Testing

/// `users lock`: the account is refused until root unlocks it.
@Suite struct LockingTests {
    let fixture = Fixture()

    private var published: [String]? { PublishedAccounts(fixture.folder("accounts.snapshot"))?.all.map(\.name) }

    @Test("P2: a locked account is refused, its grant ends, and it stays published; unlocked it signs in as before")
    func lock() async throws {
        let directory = fixture.start()
        let before = try await directory.signIn("alice@contoso.com", as: 1)
        fixture.grants.grant(uid: before.account.uid, until: fixture.clock.bootTime().advanced(by: .seconds(60)))
        let locked = try await directory.lock(before.account.name, true)
        #expect(locked.lockedAt == fixture.clock.wallTime() && locked.account == before.account)
        #expect(try directory.reason("alice@contoso.com") == .accountLocked)
        #expect(await reason { try await directory.signIn("alice@contoso.com", as: 1) } == .accountLocked)
        #expect(fixture.grants.current().isEmpty && published == ["alice@contoso.com"])
        #expect(try await directory.lock(before.account.name, true) == locked)
        #expect(try await directory.lock(before.account.name, false) == before)
        #expect(try await directory.signIn("alice@contoso.com", as: 1) == before)
    }

    @Test("P14: a lock stays over a restart, and a new name in Entra does not lift it")
    func durable() async throws {
        let alice = try name("alice@contoso.com")
        try await locked(alice)
        try await stays(alice)
        #expect(try fixture.start().reason("alicia@contoso.com") == .accountLocked)
    }

    /// One run of the daemon.
    private func locked(_ alice: UserName) async throws {
        let directory = fixture.start()
        _ = try await directory.signIn(alice.text, as: 1)
        _ = try await directory.lock(alice, true)
    }

    /// The next run.
    private func stays(_ alice: UserName) async throws {
        let again = fixture.start()
        #expect(try again.reason(alice.text) == .accountLocked)
        #expect(await reason { try await again.signIn("alicia@contoso.com", as: 1) } == .accountLocked)
        #expect(try await again.set(shell: "/bin/sh", of: alice).lockedAt != nil)
        #expect(try await again.rename(alice, to: try name("alicia@contoso.com")).lockedAt != nil)
    }

    @Test("A retired account and one that is not there cannot be locked")
    func refused() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1).account.name
        _ = try await directory.retire(alice)
        #expect(await reason { _ = try await directory.lock(alice, true) } == .accountRetired)
        #expect(await reason { _ = try await directory.lock(try name("bob@contoso.com"), true) } == .notEnrolled)
    }
}
