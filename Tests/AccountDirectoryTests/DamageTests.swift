// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import LinuxSystem
import TestSupport
import Testing

/// What users get if one byte of the store or of a published file is changed, or if the file is truncated.
@Suite struct DamageTests {
    let fixture = Fixture()
    private let names = ["alice@contoso.com", "bob@contoso.com", "carol@contoso.com", "dave@contoso.com"]

    /// Four accounts: one unchanged, one retired, one renamed, one rebound to another object id.
    private func enrolSome() async throws -> [EnrolledAccount] {
        let directory = fixture.start()
        for (number, name) in names.enumerated() { try await directory.signIn(name, as: number + 1) }
        _ = try await directory.retire(try name(names[1]))
        _ = try await directory.rename(try name(names[2]), to: try name("caroline@contoso.com"))
        _ = try await directory.rebind(try name(names[3]), to: try identity(9).objectID)
        return directory.view().allEnrolled()
    }

    /// Truncations, bytes with one bit or all bits changed, and the file empty: all of them in the deep tier.
    private func damages(of bytes: [UInt8]) -> [(what: String, bytes: [UInt8])] {
        let places = Tier.sample(bytes.indices, step: 3)
        var all = places.map { ("cut to \($0)", Array(bytes.prefix($0))) }
        for index in places {
            for mask: UInt8 in [1 << UInt8(index % 8), 0xff] {
                var changed = bytes
                changed[index] ^= mask
                all.append(("byte \(index) ^ \(mask)", changed))
            }
        }
        return all
    }

    private func put(_ bytes: [UInt8], _ file: String, mode: UInt32) {
        // Not by rename, which would sync each of thousands of files to the disk.
        fixture.folder.write(bytes, to: file, mode: mode)
    }

    @Test("P14: a store with any byte changed or cut off anywhere lets nobody in, is named, and stays as it is")
    func store() async throws {
        _ = try await enrolSome()
        let bytes = try #require(fixture.bytes("accounts"))
        let snapshot = try #require(fixture.bytes("accounts.snapshot"))
        let everybody = try (names + ["caroline@contoso.com", "new@contoso.com"]).map { try name($0) }
        for (what, damaged) in damages(of: bytes) {
            put(damaged, "accounts", mode: 0o600)
            fixture.disk.fail(at: nil)
            let directory = fixture.start()
            #expect(directory.report().fault?.contains("\(fixture.folder.path)/accounts: line ") == true, "\(what)")
            for name in everybody { #expect(try directory.reason(name.text) == .storeUnreadable, "\(what)") }
            #expect(directory.view().allEnrolled().isEmpty, "\(what)")
            #expect(fixture.disk.reached.isEmpty, "\(what)")
            #expect(fixture.bytes("accounts") == damaged, "\(what)")
        }
        // The module still answers for enrolled accounts from the published file, which is unchanged.
        #expect(fixture.bytes("accounts.snapshot") == snapshot)
    }

    @Test("P14: a damaged store that is repaired is taken again, with the same names, numbers and homes")
    func repaired() async throws {
        let before = try await enrolSome()
        let bytes = try #require(fixture.bytes("accounts"))
        put(bytes.dropLast(), "accounts", mode: 0o600)
        let directory = fixture.start()
        #expect(directory.report().fault != nil)
        put(bytes, "accounts", mode: 0o600)
        #expect(await directory.refresh().fault == nil)
        #expect(directory.view().allEnrolled() == before)
    }

    @Test("P13: a published file with any byte changed or cut off never shows another number, name or home")
    func snapshotReader() async throws {
        let enrolled = try await enrolSome().filter { $0.retiredAt == nil }
        let path = fixture.folder("accounts.snapshot")
        let bytes = try #require(fixture.bytes("accounts.snapshot"))
        let (known, uids) = (enrolled.map(\.account.name.text), enrolled.map(\.account.uid.number))
        let good = try #require(PublishedAccounts(path, asking: known, uids: uids))
        #expect(good.byName.count == 3 && good.byUID.count == 3)
        let strangers = ["bob@contoso.com", "carol@contoso.com", "root", "new@contoso.com"]
        for (what, damaged) in damages(of: bytes) {
            put(damaged, "accounts.snapshot", mode: 0o644)
            let read = PublishedAccounts(path, asking: known + strangers, uids: uids + [0, 1000])
            guard let read else { continue }
            for (name, record) in read.byName { #expect(record == good.byName[name], "\(what): \(name)") }
            for (uid, record) in read.byUID { #expect(record == good.byUID[uid], "\(what): \(uid)") }
            for record in read.all { #expect(good.all.contains(record), "\(what)") }
        }
    }

    @Test("P14: a published file that was changed or cut off is published again by the next start, the same")
    func snapshot() async throws {
        let before = try await enrolSome()
        let path = fixture.folder("accounts.snapshot")
        let bytes = try #require(fixture.bytes("accounts.snapshot"))
        let good = try #require(PublishedAccounts(path))
        // Only every eleventh, because each of them waits for the disk twice.
        for (index, (what, damaged)) in damages(of: bytes).enumerated() where index % 11 == 0 {
            put(damaged, "accounts.snapshot", mode: 0o644)
            let directory = fixture.start()
            #expect(directory.report().fault == nil, "\(what)")
            #expect(directory.view().allEnrolled() == before, "\(what)")
            #expect(PublishedAccounts(path)?.all == good.all, "\(what)")
        }
    }
}
