// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Glibc
import Identity
import LinuxSystem
import TestSupport
import Testing

/// The daemon's part in the accounts' ranges: it notifies root's program, and checks whether a line is there.
@Suite struct SubordinateIDsTests {
    let bed = Bed()

    private func wait(_ directory: AccountDirectory, _ enrolled: EnrolledAccount, seconds: Int64 = 8) async -> Bool {
        let deadline = bed.clock.bootTime().advanced(by: .seconds(seconds))
        return await directory.awaitSubordinateIDs(of: enrolled, by: deadline)
    }

    @Test(
        "P3: root is told of each change of the accounts, at the start and at a reload; never where it is off, never for nothing"
    )
    func announces() async throws {
        let off = bed.start()
        let alice = try await off.signIn("alice@contoso.com", as: 1)
        await off.refresh(policy: AccountPolicy())
        #expect(bed.announcements.count == 0)
        #expect(await wait(off, alice))
        await off.refresh(policy: AccountPolicy(subordinateIDs: true))
        #expect(bed.announcements.count == 1)
        try await off.signIn("alice@contoso.com", as: 1)
        _ = off.view().standing(of: try name("bob@contoso.com"))
        await off.refresh()
        #expect(bed.announcements.count == 1, "nothing has changed")
        try await off.signIn("bob@contoso.com", as: 2)
        #expect(bed.announcements.count == 2)
        _ = try await off.rename(try name("bob@contoso.com"), to: try name("bo@contoso.com"))
        #expect(bed.announcements.count == 3)
    }

    @Test("At the start root is told, too: the settings may be new")
    func start() {
        _ = bed.start(policy: AccountPolicy(subordinateIDs: true))
        #expect(bed.announcements.count == 1)
    }

    @Test(
        "The wait ends with lines in both files, by name or number; or after two seconds, or with the asker's deadline"
    )
    func waits() async throws {
        let directory = bed.start(policy: AccountPolicy(subordinateIDs: true))
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        let began = bed.clock.bootTime()
        #expect(await !wait(directory, alice))
        #expect(began.duration(to: bed.clock.bootTime()) == .seconds(2))
        bed.write("alice@contoso.com:1:2\n", to: "subuid")
        #expect(await !wait(directory, alice, seconds: 1))
        #expect(began.duration(to: bed.clock.bootTime()) == .seconds(3))
        for line in ["alice@contoso.com:1:2\n", "\(alice.account.uid):1:2\n"] {
            bed.write(line, to: "subgid")
            #expect(await wait(directory, alice))
        }
        bed.write("alice@contoso.co:1:2\nalice@contoso.com\n", to: "subgid")
        #expect(await !wait(directory, alice, seconds: 0))
        #expect(began.duration(to: bed.clock.bootTime()) == .seconds(3))
    }

    @Test("A file that cannot be read ends the wait at once: no line would ever be seen in it", arguments: [0, 1])
    func unreadable(number: Int) async throws {
        let directory = bed.start(policy: AccountPolicy(subordinateIDs: true))
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        let (closed, other) = number == 0 ? ("subuid", "subgid") : ("subgid", "subuid")
        // What is no plain file cannot be read by root either, who runs these tests.
        #expect(mkfifo(bed.folder(closed), 0o600) == 0)
        let began = bed.clock.bootTime()
        #expect(await !wait(directory, alice))
        bed.write("alice@contoso.com:1:2\n", to: other)
        #expect(await !wait(directory, alice))
        #expect(began.duration(to: bed.clock.bootTime()) == .zero)
    }
}
