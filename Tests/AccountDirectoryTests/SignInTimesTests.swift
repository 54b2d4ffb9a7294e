// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import LinuxSystem
import TestSupport
import Testing

@Suite struct SignInTimesTests {
    let bed = Bed()
    let later = UnixTime(seconds: 1_700_005_000)

    @Test("P14: sign-in times survive a restart once they are flushed, and an unchanged list is not written")
    func restart() async throws {
        var directory: AccountDirectory? = bed.start()
        let alice = try await directory?.signIn("alice@contoso.com", as: 1)
        let identity = try identity(1)
        #expect(directory?.lastSignIn(identity) == alice?.enrolledAt)
        directory?.noteSignIn(identity, at: later)
        #expect(directory?.lastSignIn(identity) == later)
        await directory?.flushSignIns()
        bed.disk.fail(at: nil)
        await directory?.flushSignIns()
        #expect(bed.disk.reached.isEmpty)
        directory = nil
        #expect(bed.start().lastSignIn(identity) == later)
    }

    @Test("P14: a disk that takes nothing fails no sign-in, and the next flush makes good")
    func fullDisk() async throws {
        let directory = bed.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        bed.disk.fail("sign-ins")
        directory.noteSignIn(try identity(1), at: later)
        await directory.flushSignIns()
        #expect(directory.lastSignIn(try identity(1)) == later)
        #expect(directory.report().warnings.contains { $0.contains("sign-ins") })
        bed.disk.fail(nil)
        await directory.flushSignIns()
        #expect(directory.report().warnings.isEmpty)
        #expect(String(decoding: bed.bytes("sign-ins") ?? [], as: UTF8.self).contains("\(later.seconds)"))
    }

    @Test("P13: after a loss or damage the enrolment counts")
    func damage() async throws {
        var directory: AccountDirectory? = bed.start()
        let alice = try await directory?.signIn("alice@contoso.com", as: 1)
        directory?.noteSignIn(try identity(1), at: later)
        await directory?.flushSignIns()
        directory = nil
        let bytes = try #require(bed.bytes("sign-ins"))
        for index in bytes.indices {
            var flipped = bytes
            flipped[index] ^= 1
            try AtomicFile("\(bed.folder.path)/sign-ins").replace(with: flipped, mode: 0o600)
            #expect(bed.start().lastSignIn(try identity(1)) == alice?.enrolledAt, "byte \(index)")
        }
    }

    @Test func `a clock that jumped back takes nothing away, and strangers have no last sign-in`() async throws {
        let directory = bed.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        directory.noteSignIn(try identity(1), at: later)
        directory.noteSignIn(try identity(1), at: UnixTime(seconds: 5))
        #expect(directory.lastSignIn(try identity(1)) == later)
        #expect(directory.lastSignIn(try identity(2)) == nil)
    }
}
