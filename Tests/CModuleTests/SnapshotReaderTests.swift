// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import CSnapshot
import CWire
import Glibc
import Identity
import NSS
import TestSupport
import Testing

@Suite("CSnapshot")
struct SnapshotReaderTests {
    @Test("The hash is the specification's, in both languages, at every length, and never 0")
    func hash() {
        // Computed from the specification, independently of both implementations.
        #expect(entralogin_hash(0, "", 0) == 1)
        #expect(entralogin_hash(1, "", 0) == 0x1278_b945)
        #expect(entralogin_hash(0, "alice@contoso.com", 17) == 0x0235_532b)
        let bytes = (0..<100).map { UInt8($0 * 37 & 0xff) }
        for seed: UInt32 in [0, 1, 0xdead_beef] {
            for length in bytes.indices {
                #expect(entralogin_hash(seed, bytes, length) == SnapshotHash.of(bytes[..<length], seed: seed))
            }
        }
    }

    @Test("Every account of a large file is found by name and by uid, and nobody else", arguments: [1, 2, 63, 2_000])
    func finding(_ count: Int) throws {
        let published = try Published(count: count)
        for account in published.accounts {
            #expect(published.passwd(account.name.text) == .found(PasswdRecord(account)))
            #expect(published.passwd(uid: account.uid.number) == .found(PasswdRecord(account)))
        }
        for number in count..<count + 50 {
            let stranger = Published.account(number)
            #expect(published.passwd(stranger.name.text) == .notFound)
            #expect(published.passwd(uid: stranger.uid.number) == .notFound)
            #expect(published.passwd(uid: stranger.uid.number + 1) == .notFound)
        }
    }

    @Test("No file, no folder, an empty table: nobody is enrolled")
    func absent() throws {
        let none = try Published(count: 0)
        #expect(none.passwd("person0@contoso.com") == .notFound)
        unlink(none.folder("accounts"))
        #expect(none.passwd("person0@contoso.com") == .notFound)
        #expect(none.group("entra_users") == .notFound)
    }

    @Test("P13: What is not a file that only a system user can have written is not read, and never waited for")
    func untrustworthy() throws {
        let published = try Published()
        let path = published.folder("accounts")
        let name = published.accounts[0].name.text
        let ask = { published.passwd(name) }
        #expect(ask().status == NSS_STATUS_SUCCESS)
        for mode: mode_t in [0o664, 0o646] {
            chmod(path, mode)
            #expect(ask() == .unavailable)
        }
        chmod(path, 0o644)
        link(path, published.folder("second"))
        #expect(ask() == .unavailable, "two links")
        unlink(published.folder("second"))
        #expect(ask().status == NSS_STATUS_SUCCESS)
        rename(path, published.folder("real"))
        symlink(published.folder("real"), path)
        #expect(ask() == .unavailable, "a link")
        unlink(path)
        mkfifo(path, 0o644)
        #expect(ask() == .unavailable, "a FIFO")
        unlink(path)
        mkdir(path, 0o755)
        #expect(ask() == .unavailable, "a folder")
        rmdir(path)
        published.folder.write([], to: "accounts")
        #expect(ask() == .unavailable, "an empty file")
    }

    @Test("P13: A file that an ordinary user owns is not read", .enabled(if: geteuid() == 0))
    func owner() throws {
        let published = try Published()
        let name = published.accounts[0].name.text
        for (owner, trusted): (uid_t, Bool) in [(0, true), (999, true), (1_000, false), (65_534, false)] {
            chown(published.folder("accounts"), owner, 0)
            #expect((published.passwd(name).status == NSS_STATUS_SUCCESS) == trusted)
        }
    }

    @Test(
        "P13: The ids that a user namespace maps are counted over its lines; what cannot be read maps all of them",
        arguments: [
            ("         0          0 4294967295\n", 4_294_967_295), ("0 0 1\n1 1 4294967294\n", 4_294_967_295),
            ("1999259362 1999259362          1\n", 1), ("0 1999259362 1\n1 100000 65536\n", 65_537), ("0 0 7", 7),
            ("\n", 0), ("0 0\n0 0\n", 0), ("0 0 99999999999999999999999\n", 4_294_967_295), ("", 4_294_967_295),
            (String(repeating: "1 1 1\n", count: 340), 340),
            (String(repeating: "4294967294 4294967294 1\n", count: 340), 340),
            (String(repeating: "1 1 1\n", count: 4_000), 4_294_967_295),
        ] as [(String, UInt64)]
    )
    func mapped(text: String, count: UInt64) {
        let folder = TemporaryFolder()
        #expect(entralogin_mapped_ids(folder.write(Array(text.utf8), to: "uid_map")) == count)
        #expect(entralogin_mapped_ids(folder("absent")) == 4_294_967_295)
    }

    /// The file with some bytes replaced and the header's checksum corrected.
    private func changed(_ bytes: [UInt8], at offset: Int, to new: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.replaceSubrange(offset..<offset + new.count, with: new)
        let sum = SnapshotHash.of(bytes[0..<124], seed: 0)
        bytes.replaceSubrange(124..<128, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) })
        return bytes
    }

    private func file(_ accounts: [Account]) throws -> [UInt8] {
        try AccountSnapshot.bytes(of: accounts, policy: AccountPolicy(), generation: 1, seed: 99)
    }

    @Test("P13: A file cut anywhere is unreadable")
    func cuts() throws {
        let published = try Published()
        let bytes = try file(published.accounts)
        let name = published.accounts[1].name.text
        for length in 1..<bytes.count {
            published.folder.write(Array(bytes[..<length]), to: "accounts")
            #expect(published.passwd(name) == .unavailable)
        }
    }

    @Test("P13: A changed byte anywhere never changes what an account is")
    func changes() throws {
        let published = try Published(count: 2)
        let bytes = try file(published.accounts)
        let truth = PasswdRecord(published.accounts[1])
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x41
            published.folder.write(damaged, to: "accounts")
            for answer in [published.passwd(truth.name), published.passwd(uid: truth.uid)] {
                #expect(answer == .found(truth) || answer == .notFound || answer == .unavailable)
            }
        }
    }

    @Test("P13: Offsets and sizes that leave the file are unreadable, with a good checksum too")
    func offsets() throws {
        let published = try Published()
        let bytes = try file(published.accounts)
        let name = published.accounts[0].name.text
        // The table of names and its mask, the table of uids and its mask, first and last record.
        for field in stride(from: 40, through: 60, by: 4) {
            for value: [UInt8] in [
                [0xff, 0xff, 0xff, 0xff], [0xf8, 0xff, 0xff, 0x7f], [0, 0, 0, 0], [129, 0, 0, 0],
            ] {
                published.folder.write(changed(bytes, at: field, to: value), to: "accounts")
                #expect(published.passwd(name) == .unavailable, "field \(field)")
            }
        }
    }

    @Test("P13: A table without an empty slot is not searched for ever")
    func fullTable() throws {
        let published = try Published()
        var bytes = try file(published.accounts)
        let table = Int(bytes[40]) | Int(bytes[41]) << 8
        for slot in 0..<8 { bytes[table + slot * 8 + 4] |= 8 }
        published.folder.write(bytes, to: "accounts")
        #expect(published.passwd("person77@contoso.com") == .unavailable)
    }

    @Test("P7: A record with a foreign uid, or another gid than uid, is never answered, whatever wrote it")
    func foreignRecords() throws {
        let published = try Published(count: 1)
        let bytes = try file(published.accounts)
        let record = Int(bytes[56]) | Int(bytes[57]) << 8
        let size = Int(bytes[record + 4])
        for (uid, gid): (UInt32, UInt32) in [
            (0, 0), (1_000, 1_000), (ENTRALOGIN_ID_FIRST, ENTRALOGIN_ID_FIRST), (1_879_049_216, 0),
        ] {
            var damaged = bytes
            for shift in 0..<4 {
                damaged[record + 8 + shift] = UInt8(truncatingIfNeeded: uid >> (shift * 8))
                damaged[record + 12 + shift] = UInt8(truncatingIfNeeded: gid >> (shift * 8))
            }
            let sum = SnapshotHash.of(damaged[record + 4..<record + size], seed: 0)
            for shift in 0..<4 { damaged[record + shift] = UInt8(truncatingIfNeeded: sum >> (shift * 8)) }
            published.folder.write(damaged, to: "accounts")
            #expect(published.passwd("person0@contoso.com") == .unavailable)
        }
    }

    @Test("P13: a control character, DEL or a colon makes a record unsound wherever it stands; no other byte does")
    func soundness() {
        let name = Array("alice@contoso.com".utf8)
        let home = Array("/home/alice".utf8)
        for length in 1...17 {
            for place in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    var gecos = [UInt8](repeating: UInt8(ascii: "x"), count: length)
                    gecos[place] = byte
                    let isSound = withTexts(name, gecos, home) { name, gecos, home in
                        var record = entralogin_record()
                        (record.uid, record.gid) = (PosixID.userRange.lowerBound, PosixID.userRange.lowerBound)
                        (record.name, record.gecos, record.home, record.shell) = (name, gecos, home, home)
                        return entralogin_record_is_sound(&record) != 0
                    }
                    let mustBe = byte >= 0x20 && byte != 0x7f && byte != UInt8(ascii: ":")
                    #expect(isSound == mustBe, "byte \(byte) at \(place) of \(length)")
                }
            }
        }
    }

    private func withTexts(
        _ name: [UInt8],
        _ gecos: [UInt8],
        _ home: [UInt8],
        _ body: (entralogin_text, entralogin_text, entralogin_text) -> Bool
    ) -> Bool {
        func text(_ bytes: UnsafeRawBufferPointer) -> entralogin_text {
            entralogin_text(bytes: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), length: bytes.count)
        }
        return name.withUnsafeBytes { name in
            gecos.withUnsafeBytes { gecos in
                home.withUnsafeBytes { home in body(text(name), text(gecos), text(home)) }
            }
        }
    }
}
