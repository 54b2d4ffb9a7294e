// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Glibc
import Identity
import LinuxSystem
import TestSupport
import Testing

/// The daemon's part in subordinate ids: it notifies root's program, and checks whether an account has its lines.
@Suite struct SubordinateIDsTests {
    let fixture = Fixture()

    private func wait(_ directory: AccountDirectory, _ enrolled: EnrolledAccount, seconds: Int64 = 8) async -> Bool {
        let deadline = fixture.clock.bootTime().advanced(by: .seconds(seconds))
        return await directory.awaitSubordinateIDs(of: enrolled, by: deadline)
    }

    @Test(
        "P3: root is told of each change of the accounts, at the start and at a reload; never where it is off, never for nothing"
    )
    func announces() async throws {
        let off = fixture.start()
        let alice = try await off.signIn("alice@contoso.com", as: 1)
        await off.refresh(policy: AccountPolicy())
        #expect(fixture.announcements.count == 0)
        #expect(await wait(off, alice))
        await off.refresh(policy: AccountPolicy(subordinateIDs: true))
        #expect(fixture.announcements.count == 1)
        try await off.signIn("alice@contoso.com", as: 1)
        _ = off.view().standing(of: try name("bob@contoso.com"))
        await off.refresh()
        #expect(fixture.announcements.count == 1, "nothing has changed")
        try await off.signIn("bob@contoso.com", as: 2)
        #expect(fixture.announcements.count == 2)
        _ = try await off.rename(try name("bob@contoso.com"), to: try name("bo@contoso.com"))
        #expect(fixture.announcements.count == 3)
    }

    @Test("At the start root is told, too: the settings may be new")
    func start() {
        _ = fixture.start(policy: AccountPolicy(subordinateIDs: true))
        #expect(fixture.announcements.count == 1)
    }

    @Test(
        "The wait ends with lines in both files, by name or number; or after two seconds, or with the asker's deadline"
    )
    func waits() async throws {
        let directory = fixture.start(policy: AccountPolicy(subordinateIDs: true))
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        let began = fixture.clock.bootTime()
        #expect(await !wait(directory, alice))
        #expect(began.duration(to: fixture.clock.bootTime()) == .seconds(2))
        fixture.write("alice@contoso.com:1:2\n", to: "subuid")
        #expect(await !wait(directory, alice, seconds: 1))
        #expect(began.duration(to: fixture.clock.bootTime()) == .seconds(3))
        for line in ["alice@contoso.com:1:2\n", "\(alice.account.uid):1:2\n"] {
            fixture.write(line, to: "subgid")
            #expect(await wait(directory, alice))
        }
        fixture.write("alice@contoso.co:1:2\nalice@contoso.com\n", to: "subgid")
        #expect(await !wait(directory, alice, seconds: 0))
        #expect(began.duration(to: fixture.clock.bootTime()) == .seconds(3))
    }

    @Test("A file that cannot be read ends the wait at once: no line would ever be seen in it", arguments: [0, 1])
    func unreadable(number: Int) async throws {
        let directory = fixture.start(policy: AccountPolicy(subordinateIDs: true))
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        let (closed, other) = number == 0 ? ("subuid", "subgid") : ("subgid", "subuid")
        // A FIFO, because root, who runs these tests, can read any regular file.
        #expect(mkfifo(fixture.folder(closed), 0o600) == 0)
        let began = fixture.clock.bootTime()
        #expect(await !wait(directory, alice))
        fixture.write("alice@contoso.com:1:2\n", to: other)
        #expect(await !wait(directory, alice))
        #expect(began.duration(to: fixture.clock.bootTime()) == .zero)
    }
}
