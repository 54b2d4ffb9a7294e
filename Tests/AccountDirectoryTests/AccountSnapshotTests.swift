// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import CSnapshot
import Identity
import LinuxSystem
import TestSupport
import Testing

private func accounts(_ count: Int) throws -> [Account] {
    try (0..<count).map { number in
        let name = try name("person\(number)@contoso.com")
        return Account(
            name: name,
            uid: try #require(PosixID(user: PosixID.userRange.lowerBound + UInt32(number) * 37)),
            displayName: number % 3 == 0 ? "" : "Person \(number) Müller",
            home: "/home/\(name)",
            shell: "/bin/bash"
        )
    }
}

extension AccountSnapshot {
    /// The file of these accounts, with any object ids.
    fileprivate static func bytes(
        of accounts: [Account],
        policy: AccountPolicy,
        generation: UInt64,
        seed: UInt32
    ) throws -> [UInt8] {
        let enrolled = try accounts.enumerated().map { number, account in
            EnrolledAccount(account: account, identity: try identity(number), enrolledAt: UnixTime(seconds: 0))
        }
        return try AccountSnapshot(
            of: VisibleAccounts(enrolled),
            policy: policy,
            generation: generation,
            seed: seed
        ).bytes
    }
}

@Suite struct AccountSnapshotTests {
    let folder = TemporaryFolder()
    private var path: String { "\(folder.path)/accounts.snapshot" }

    private func write(_ accounts: [Account], policy: AccountPolicy = AccountPolicy(), seed: UInt32 = 7) throws {
        let bytes = try AccountSnapshot.bytes(of: accounts, policy: policy, generation: 99, seed: seed)
        try AtomicFile(path).replace(with: bytes, mode: 0o644)
    }

    @Test(
        "P13: the name service's own reader finds every account by name, by uid and in order",
        arguments: [
            0, 1, 2, 3, 4, 5, 63, 64, 65, 6_000,
        ]
    )
    func read(count: Int) throws {
        let accounts = try accounts(count)
        for seed in [0, 7, UInt32.max] {
            try write(accounts, seed: seed)
            let names = accounts.map(\.name.text) + ["nobody@contoso.com"]
            let uids = accounts.map(\.uid.number) + [PosixID.userRange.upperBound, 0]
            let published = try #require(PublishedAccounts(path, asking: names, uids: uids))
            #expect(published.generation == 99)
            #expect(published.count == UInt32(count))
            #expect(published.all.map(\.name) == accounts.map(\.name.text))
            #expect(published.byName.count == count)
            #expect(published.byUID.count == count)
            for account in accounts {
                let record = try #require(published.byName[account.name.text])
                #expect(record == published.byUID[account.uid.number])
                #expect(record.uid == account.uid.number)
                #expect(record.gid == record.uid)
                #expect(record.gecos == account.displayName)
                #expect(record.home == account.home)
                #expect(record.shell == account.shell)
            }
        }
    }

    @Test func `the header tells the groups' names and whether to enumerate`() throws {
        try write(try accounts(3))
        let plain = try #require(PublishedAccounts(path))
        #expect(plain.usersGroup == "entra_users")
        #expect(plain.administratorsGroup == "entra_admins")
        #expect(!plain.enumerates)
        let policy = AccountPolicy(usersGroupName: "a_", administratorsGroupName: "b_admins", enumerate: true)
        try write(try accounts(3), policy: policy)
        let other = try #require(PublishedAccounts(path))
        #expect(other.usersGroup == "a_")
        #expect(other.administratorsGroup == "b_admins")
        #expect(other.enumerates)
    }

    @Test func `the longest possible record is read back`() throws {
        let name = try name(String(repeating: "a", count: 64) + "@" + String(repeating: "d", count: 48))
        let account = Account(
            name: name,
            uid: try #require(PosixID(user: PosixID.userRange.upperBound)),
            displayName: String(repeating: "x", count: 255),
            home: "/" + String(repeating: "h", count: 254),
            shell: "/" + String(repeating: "s", count: 254)
        )
        try write([account])
        let record = try #require(PublishedAccounts(path)?.all.first)
        #expect(record.name == name.text)
        #expect(record.gecos == account.displayName)
        #expect(record.home == account.home)
        #expect(record.shell == account.shell)
    }

    @Test func `the same content gives the same bytes, aligned, with every part inside the file`() throws {
        let accounts = try accounts(10)
        let one = try AccountSnapshot.bytes(of: accounts, policy: AccountPolicy(), generation: 1, seed: 1)
        #expect(one == (try AccountSnapshot.bytes(of: accounts, policy: AccountPolicy(), generation: 1, seed: 1)))
        #expect(one.count % 8 == 0)
        #expect(one != (try AccountSnapshot.bytes(of: accounts, policy: AccountPolicy(), generation: 1, seed: 2)))
    }

    @Test("P13: no bit of header or records can flip unnoticed")
    func bitFlips() throws {
        let accounts = try accounts(2)
        var bytes = try AccountSnapshot.bytes(of: accounts, policy: AccountPolicy(), generation: 1, seed: 1)
        let path = "\(folder.path)/flipped"
        let uids = accounts.map(\.uid.number)
        try AtomicFile(path).replace(with: bytes, mode: 0o644)
        let sound = try #require(PublishedAccounts(path, asking: accounts.map(\.name.text), uids: uids))
        for index in bytes.indices {
            bytes[index] ^= 0x10
            try AtomicFile(path).replace(with: bytes, mode: 0o644)
            if let found = PublishedAccounts(path, asking: accounts.map(\.name.text), uids: uids) {
                #expect(found.byName.allSatisfy { sound.byName[$0] == $1 }, "byte \(index)")
                #expect(found.byUID.allSatisfy { sound.byUID[$0] == $1 }, "byte \(index)")
            }
            bytes[index] ^= 0x10
        }
    }

    @Test func `our hash is the header's`() {
        for seed in [0, 1, 0x0102_0304, UInt32.max] {
            for text in ["", "a", "alice@contoso.com", String(repeating: "\u{ff}", count: 1000)] {
                let bytes = Array(text.utf8)
                #expect(SnapshotHash.of(bytes, seed: seed) == entralogin_hash(seed, bytes, bytes.count))
            }
        }
    }
}
