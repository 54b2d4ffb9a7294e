// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import LinuxSystem
import TestSupport
import Testing

@Suite struct SignInTimesTests {
    let fixture = Fixture()
    let later = UnixTime(seconds: 1_700_005_000)

    @Test("P14: sign-in times survive a restart once they are flushed, and an unchanged list is not written")
    func restart() async throws {
        var directory: AccountDirectory? = fixture.start()
        let alice = try await directory?.signIn("alice@contoso.com", as: 1)
        let identity = try identity(1)
        #expect(directory?.lastSignIn(identity) == alice?.enrolledAt)
        directory?.noteSignIn(identity, at: later)
        #expect(directory?.lastSignIn(identity) == later)
        await directory?.flushSignIns()
        fixture.disk.fail(at: nil)
        await directory?.flushSignIns()
        #expect(fixture.disk.reached.isEmpty)
        directory = nil
        #expect(fixture.start().lastSignIn(identity) == later)
    }

    @Test("P14: a disk that takes nothing fails no sign-in, and the next flush makes good")
    func fullDisk() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        fixture.disk.fail("sign-ins")
        directory.noteSignIn(try identity(1), at: later)
        await directory.flushSignIns()
        #expect(directory.lastSignIn(try identity(1)) == later)
        #expect(directory.report().warnings.contains { $0.contains("sign-ins") })
        fixture.disk.fail(nil)
        await directory.flushSignIns()
        #expect(directory.report().warnings.isEmpty)
        #expect(String(decoding: fixture.bytes("sign-ins") ?? [], as: UTF8.self).contains("\(later.seconds)"))
    }

    @Test("P13: after a loss or damage the enrolment counts")
    func damage() async throws {
        var directory: AccountDirectory? = fixture.start()
        let alice = try await directory?.signIn("alice@contoso.com", as: 1)
        directory?.noteSignIn(try identity(1), at: later)
        await directory?.flushSignIns()
        directory = nil
        let bytes = try #require(fixture.bytes("sign-ins"))
        for index in bytes.indices {
            var flipped = bytes
            flipped[index] ^= 1
            try AtomicFile("\(fixture.folder.path)/sign-ins").replace(with: flipped, mode: 0o600)
            #expect(fixture.start().lastSignIn(try identity(1)) == alice?.enrolledAt, "byte \(index)")
        }
    }

    @Test func `a clock that jumped back takes nothing away, and strangers have no last sign-in`() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        directory.noteSignIn(try identity(1), at: later)
        directory.noteSignIn(try identity(1), at: UnixTime(seconds: 5))
        #expect(directory.lastSignIn(try identity(1)) == later)
        #expect(directory.lastSignIn(try identity(2)) == nil)
    }
}
