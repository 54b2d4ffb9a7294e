// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import CSnapshot
import Glibc
import Identity
import LinuxSystem
import TestSupport
import Testing

@Suite struct AdministratorGrantsTests {
    let folder = TemporaryFolder()
    let clock = FixedClock()
    let disk = Disk()
    let boot: BootID

    init() throws {
        boot = try #require(BootID("00010203-0405-0607-0809-0a0b0c0d0e0f\n"))
    }

    private var path: String { "\(folder.path)/grants.snapshot" }

    private func start(boot other: BootID? = nil) -> AdministratorGrants {
        AdministratorGrants(file: disk.file(path), boot: other ?? boot, clock: clock)
    }

    private func uid(_ number: UInt32) throws -> PosixID {
        try #require(PosixID(user: PosixID.userRange.lowerBound + number))
    }

    private func later(_ seconds: Int) -> BootTime { clock.bootTime().advanced(by: .seconds(seconds)) }

    /// What the name service's reader finds; nil if it does not accept the file.
    private func published() -> [UInt32: UInt64]? {
        var window = [UInt8](repeating: 0, count: 8192)
        return window.withUnsafeMutableBytes { window in
            var grants = entralogin_grants()
            guard entralogin_grants_open(&grants, path, nil, window.baseAddress, window.count) == ENTRALOGIN_FOUND
            else {
                return nil
            }
            defer { entralogin_grants_close(&grants) }
            var found: [UInt32: UInt64] = [:]
            for index in 0..<grants.file.count {
                var (uid, expiry, again): (UInt32, UInt64, UInt64) = (0, 0, 0)
                #expect(entralogin_grants_at(&grants, index, &uid, &expiry) == ENTRALOGIN_FOUND)
                #expect(entralogin_grants_by_uid(&grants, uid, &again) == ENTRALOGIN_FOUND)
                #expect(expiry == again)
                found[uid] = expiry
            }
            return found
        }
    }

    @Test func `a grant is published before it is returned, and again when it is renewed`() throws {
        let grants = start()
        try grants.grant(uid: try uid(5), until: later(3600))
        #expect(published() == [try uid(5).number: 4600])
        clock.pass(.seconds(100))
        for number: UInt32 in [9, 1, 5] { try grants.grant(uid: try uid(number), until: later(3600)) }
        #expect(published() == Dictionary(uniqueKeysWithValues: try [1, 5, 9].map { (try uid($0).number, 4700) }))
        #expect(grants.current() == Dictionary(uniqueKeysWithValues: try [1, 5, 9].map { (try uid($0), later(3600)) }))
    }

    @Test("P2: a withdrawal is published at once")
    func withdrawal() throws {
        let grants = start()
        try grants.grant(uid: try uid(1), until: later(60))
        try grants.grant(uid: try uid(2), until: later(60))
        grants.withdraw(uid: try uid(1))
        #expect(published()?.keys.sorted() == [try uid(2).number])
        #expect(grants.current().keys.sorted() == [try uid(2)])
        disk.fail(at: nil)
        grants.withdraw(uid: try uid(1))
        #expect(disk.reached.isEmpty)
    }

    @Test("P2: a withdrawal that cannot be written ends every grant rather than none")
    func failedWithdrawal() throws {
        let grants = start()
        try grants.grant(uid: try uid(1), until: later(60))
        try grants.grant(uid: try uid(2), until: later(60))
        disk.fail("grants.snapshot")
        grants.withdraw(uid: try uid(1))
        #expect(published() == nil)
        #expect(grants.fault != nil)
        disk.fail(nil)
        try grants.grant(uid: try uid(2), until: later(60))
        #expect(published()?.keys.sorted() == [try uid(2).number])
        #expect(grants.fault == nil)
    }

    @Test("P14: a grant that cannot be written is not given, at whichever step it fails")
    func failedGrant() throws {
        let grants = start()
        try grants.grant(uid: try uid(1), until: later(60))
        disk.fail(at: nil)
        try grants.grant(uid: try uid(2), until: later(60))
        let steps = disk.reached
        grants.withdraw(uid: try uid(2))
        for (index, step) in steps.enumerated() where !step.hasPrefix("sync folder") {
            disk.fail(at: index)
            let denial = #expect(throws: Denial.self) { try grants.grant(uid: try uid(3), until: later(60)) }
            #expect(denial?.reason == .enrolmentFailed)
            #expect(published()?.keys.sorted() == [try uid(1).number], "\(step)")
            #expect(grants.current().keys.sorted() == [try uid(1)], "\(step)")
        }
        try grants.grant(uid: try uid(3), until: later(60))
        #expect(published()?.count == 2)
    }

    @Test("P1: a grant lapses by itself")
    func expiry() throws {
        let grants = start()
        try grants.grant(uid: try uid(1), until: later(60).advanced(by: .milliseconds(900)))
        try grants.grant(uid: try uid(2), until: later(600))
        // Rounded down: never longer than was granted.
        #expect(published()?[try uid(1).number] == 1060)
        clock.pass(.seconds(59))
        #expect(grants.current().count == 2)
        clock.pass(.seconds(1))
        #expect(grants.current().keys.sorted() == [try uid(2)])
        try grants.grant(uid: try uid(3), until: later(600))
        #expect(published()?.count == 2)
    }

    @Test("P14: a restart of the daemon keeps the grants of this boot and drops those that lapsed")
    func restart() throws {
        let first = start()
        try first.grant(uid: try uid(1), until: later(60))
        try first.grant(uid: try uid(2), until: later(600))
        clock.pass(.seconds(100))
        let second = start()
        #expect(second.current().keys.sorted() == [try uid(2)])
        second.withdraw(uid: try uid(2))
        #expect(published()?.isEmpty == true)
    }

    @Test("P2: grants of another boot are nobody's")
    func otherBoot() throws {
        try start().grant(uid: try uid(1), until: later(6000))
        let next: BootID = try #require(BootID("ff010203-0405-0607-0809-0a0b0c0d0e0f"))
        let second = start(boot: next)
        #expect(second.current().isEmpty)
        #expect(published()?.isEmpty == true)
    }

    @Test func `a start publishes that nobody is granted where the file does not say who is`() throws {
        let sound = GrantSnapshot.bytes(of: [try uid(1).number: 5000], boot: boot, generation: 3)
        let starts: [(bytes: [UInt8], mode: UInt32)?] = [nil, (Array(sound.dropLast()), 0o644), (sound, 0o666)]
        for found in starts {
            if let found { try AtomicFile(path).replace(with: found.bytes, mode: found.mode) }
            let grants = start()
            #expect(published() == [:])
            #expect(grants.fault == nil)
            #expect(grants.current().isEmpty)
        }
        try AtomicFile(path).replace(with: sound, mode: 0o644)
        disk.fail(at: nil)
        _ = start()
        #expect(disk.reached.isEmpty, "a sound file of this boot is not written again")
    }

    @Test("P14: a start that can publish nothing is reported, and grants once it can")
    func failedStart() throws {
        disk.fail("grants.snapshot")
        let grants = start()
        #expect(grants.fault != nil)
        #expect(published() == nil)
        disk.fail(nil)
        try grants.grant(uid: try uid(1), until: later(60))
        #expect(published()?.keys.sorted() == [try uid(1).number])
        #expect(grants.fault == nil)
    }

    @Test("P13: a grants file with any byte changed, cut off or foreign is nobody's")
    func damage() throws {
        let bytes = GrantSnapshot.bytes(
            of: [try uid(1).number: 5000, try uid(2).number: 6000],
            boot: boot,
            generation: 3
        )
        #expect(GrantSnapshot.read(bytes, boot: boot)?.grants.count == 2)
        for count in bytes.indices { #expect(GrantSnapshot.read(Array(bytes.prefix(count)), boot: boot) == nil) }
        for index in bytes.indices {
            var flipped = bytes
            flipped[index] ^= 0x40
            #expect(GrantSnapshot.read(flipped, boot: boot) == nil, "byte \(index)")
        }
        #expect(GrantSnapshot.read(bytes + [0], boot: boot) == nil)
        #expect(GrantSnapshot.read(GrantSnapshot.bytes(of: [0: 5000], boot: boot, generation: 1), boot: boot) == nil)
        try AtomicFile(path).replace(with: bytes, mode: 0o666)
        #expect(start().current().isEmpty)
    }

    @Test func `a boot id is what the kernel shows`() throws {
        let shown = try AtomicFile("/proc/sys/kernel/random/boot_id").read(limit: 100)
        #expect(BootID(String(decoding: shown, as: UTF8.self))?.bytes.count == 16)
        #expect(boot.bytes == Array(0..<16))
        #expect(BootID("") == nil)
    }
}
