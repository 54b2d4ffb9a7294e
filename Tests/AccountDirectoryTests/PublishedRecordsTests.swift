// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import TestSupport
import Testing
import UserRecords

/// Not the protocol of that name.
private typealias PublishedFile = AccountDirectoryTests.PublishedAccounts

@Suite struct PublishedRecordsTests {
    let bed = Bed()

    /// What the name service's reader finds in the file, as accounts.
    private func published() throws -> [Account] {
        let file = try #require(PublishedFile("\(bed.folder.path)/accounts.snapshot"))
        return try file.all.map { record in
            Account(
                name: try name(record.name),
                uid: try #require(PosixID(user: record.uid)),
                displayName: record.gecos,
                home: record.home,
                shell: record.shell
            )
        }
    }

    @Test("the daemon shows the accounts that the published file shows, by name, by number and as a list")
    func same() async throws {
        let directory = bed.start()
        #expect(directory.everybody().isEmpty)
        for number in 1...20 { try await directory.signIn("user\(number)@contoso.com", as: number) }
        _ = try await directory.retire(try name("user3@contoso.com"))
        let file = try published()
        #expect(file.count == 19)
        #expect(directory.everybody() == file)
        for account in file {
            #expect(directory.account(named: account.name) == account)
            #expect(directory.account(uid: account.uid.number) == account)
        }
        #expect(directory.account(named: try name("user3@contoso.com")) == nil)
        #expect(directory.account(named: try name("stranger@contoso.com")) == nil)
    }

    @Test("after a restart, which writes nothing, the list is known from the file")
    func restarted() async throws {
        try await bed.start().signIn("alice@contoso.com", as: 1)
        #expect(bed.start().everybody() == (try published()))
        #expect(bed.start().everybody().count == 1)
    }

    @Test("P7: a local account or group hides an account and a shared group at once")
    func shadowed() async throws {
        let directory = bed.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        let alice = try #require(directory.everybody().first)
        #expect(directory.groups.users == "entra_users")
        bed.write("root:x:0:\nalice@contoso.com:x:1005:\nentra_admins:x:1006:\n", to: "group")
        #expect(directory.account(named: alice.name) == nil)
        #expect(directory.account(uid: alice.uid.number) == nil)
        #expect(directory.groups.users == "entra_users")
        #expect(directory.groups.administrators == nil)
    }

    @Test("administrators are those whose grant lasts, and who are still there")
    func administrators() async throws {
        let directory = bed.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        try await directory.signIn("bob@contoso.com", as: 2)
        let bob = try #require(directory.account(named: try name("bob@contoso.com")))
        #expect(directory.administrators().isEmpty)
        bed.grants.grant(uid: bob.uid, until: bed.clock.bootTime().advanced(by: .seconds(60)))
        bed.grants.grant(
            uid: try #require(PosixID(user: PosixID.userRange.upperBound)),
            until: bed.clock.bootTime().advanced(by: .seconds(60))
        )
        #expect(directory.administrators() == [bob])
        #expect(directory.isAdministrator(bob))
        bed.grants.withdraw(uid: bob.uid)
        #expect(!directory.isAdministrator(bob))
    }

    @Test("a store that cannot be trusted shows nobody")
    func unsound() async throws {
        try await bed.start().signIn("alice@contoso.com", as: 1)
        bed.write("not a store\n", to: "accounts")
        let directory = bed.start()
        #expect(!directory.isSound)
        #expect(directory.everybody().isEmpty)
        #expect(directory.account(named: try name("alice@contoso.com")) == nil)
    }
}
