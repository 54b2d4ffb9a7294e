// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Identity
import OpenSSHCertificates
import Testing

@Suite struct TrustedKeysTests {
    private static let boot = "0f3c1a52-0000-4000-8000-000000000001"

    /// Both clocks, `seconds` after the start of a test.
    private func time(_ seconds: Int64) -> TrustedKeys.Moment {
        TrustedKeys.Moment(wall: UnixTime(seconds: seconds), boot: BootTime(sinceBoot: .seconds(100_000 + seconds)))
    }

    private func stamp(_ seconds: Int64 = 0, boot: String = Self.boot) -> TrustedKeys.Stamp {
        TrustedKeys.Stamp(boot: boot, writtenAt: time(seconds).boot)
    }

    private func keys(_ numbers: UInt8...) throws -> [PublicKey] { try numbers.map { try Fixture.key($0) } }

    @Test("Sources are merged in their order, each key once")
    func merge() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(3, 2), from: "imds", at: time(0), overlap: .zero)
        trusted.take(try keys(1, 2), from: "jwks", at: time(0), overlap: .zero)
        #expect(try trusted.keys(inOrderOf: ["jwks", "imds"]) == keys(1, 2, 3))
        #expect(try trusted.keys(inOrderOf: ["imds"]) == keys(3, 2))
    }

    @Test("A key that is left out stays for the overlap, counted from when it was last listed")
    func overlap() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(1, 2), from: "jwks", at: time(0), overlap: .seconds(100))
        trusted.take(try keys(2, 3), from: "jwks", at: time(60), overlap: .seconds(100))
        #expect(try trusted.keys(inOrderOf: ["jwks"]) == keys(1, 2, 3))
        trusted.take(try keys(2, 3), from: "jwks", at: time(99), overlap: .seconds(100))
        #expect(try trusted.keys(inOrderOf: ["jwks"]) == keys(1, 2, 3))
        trusted.take(try keys(2, 3), from: "jwks", at: time(100), overlap: .seconds(100))
        #expect(try trusted.keys(inOrderOf: ["jwks"]) == keys(2, 3))
    }

    @Test("P4: the clock on the wall, ahead or behind, neither shortens nor lengthens how long a key is kept")
    func clockAhead() throws {
        for wall in [Int64(-1_000_000), 1_000_000] {
            var trusted = TrustedKeys()
            trusted.take(try keys(1, 2), from: "jwks", at: time(0), overlap: .seconds(100))
            var later = time(99)
            later.wall = UnixTime(seconds: wall)
            trusted.take(try keys(2), from: "jwks", at: later, overlap: .seconds(100))
            #expect(try trusted.keys(inOrderOf: ["jwks"]) == keys(1, 2))
            later.boot = time(100).boot
            trusted.take(try keys(2), from: "jwks", at: later, overlap: .seconds(100))
            #expect(try trusted.keys(inOrderOf: ["jwks"]) == keys(2))
        }
    }

    @Test("P14: how long ago a key was listed goes on over a restart, and over a reboot from the begin of the new boot")
    func reboot() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(1, 2), from: "jwks", at: time(0), overlap: .seconds(100))
        trusted.take(try keys(2), from: "jwks", at: time(30), overlap: .seconds(100))
        let bytes = trusted.bytes(inOrderOf: ["jwks"], stamp: stamp(40))
        #expect(TrustedKeys(reading: bytes, sources: ["jwks"], now: stamp(50)) == trusted)
        for other in ["0f3c1a52-0000-4000-8000-000000000002", ""] {
            let early = BootTime(sinceBoot: .seconds(5))
            let now = TrustedKeys.Stamp(boot: other, writtenAt: early)
            var read = TrustedKeys(reading: bytes, sources: ["jwks"], now: now)
            // It was listed 40 s before the file was written.
            #expect(read.held.first?.listedAt == BootTime(sinceBoot: .seconds(-40)))
            let wall = UnixTime(seconds: 9)
            for (seconds, left) in [(59, 2), (60, 1)] {
                let moment = TrustedKeys.Moment(wall: wall, boot: BootTime(sinceBoot: .seconds(seconds)))
                read.take(try keys(2), from: "jwks", at: moment, overlap: .seconds(100))
                #expect(read.held.count == left)
            }
        }
    }

    @Test("A file of an earlier version, without the time since boot, is read, and each key counts as listed just now")
    func earlierVersion() throws {
        let line = try Fixture.key(1).line
        let text = "# x\n\(line) entralogin source=jwks seen=5 missing=9\n"
        let read = TrustedKeys(reading: Array(text.utf8), sources: ["jwks"], now: stamp(7))
        let held = try #require(read.held.first)
        #expect(held.seenAt.seconds == 5 && held.missingSince?.seconds == 9 && held.listedAt == time(7).boot)
    }

    @Test("What comes and goes is counted: a key left out once, however often, and one that is listed again")
    func changes() throws {
        var trusted = TrustedKeys()
        func take(_ keys: [PublicKey], _ seconds: Int64) -> [Int] {
            let change = trusted.take(keys, from: "jwks", at: time(seconds), overlap: .seconds(100))
            return [change.vanished, change.returned]
        }
        #expect(take(try keys(1, 2, 3), 0) == [0, 0])
        #expect(take(try keys(3), 1) == [2, 0])
        #expect(take(try keys(3), 2) == [0, 0])
        #expect(take(try keys(1, 3), 3) == [0, 1])
        #expect(take([], 4) == [0, 0])
    }

    @Test("A key that comes back is no longer on its way out")
    func comesBack() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(1, 2), from: "jwks", at: time(0), overlap: .seconds(100))
        trusted.take(try keys(2), from: "jwks", at: time(50), overlap: .seconds(100))
        trusted.take(try keys(1, 2), from: "jwks", at: time(60), overlap: .seconds(100))
        trusted.take(try keys(1, 2), from: "jwks", at: time(500), overlap: .seconds(100))
        #expect(try trusted.keys(inOrderOf: ["jwks"]) == keys(1, 2))
        #expect(trusted.held.allSatisfy { $0.missingSince == nil })
    }

    @Test("An answer without keys changes nothing, and time alone never takes the last key")
    func empty() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(1), from: "jwks", at: time(0), overlap: .zero)
        let before = trusted
        trusted.take([], from: "jwks", at: time(10), overlap: .zero)
        trusted.expire(source: "jwks", at: time(1_000_000).boot, overlap: .zero)
        #expect(trusted == before)
    }

    @Test("What one source leaves out says nothing about another's keys")
    func otherSource() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(1), from: "file", at: time(0), overlap: .zero)
        trusted.take(try keys(1, 2), from: "jwks", at: time(0), overlap: .zero)
        trusted.take(try keys(2), from: "jwks", at: time(1), overlap: .zero)
        #expect(try trusted.keys(inOrderOf: ["jwks", "file"]) == keys(2, 1))
    }

    @Test("P13: rotated-out keys are bounded; those missing for longest give way, listed ones never do")
    func bounded() throws {
        var trusted = TrustedKeys()
        for number in 0..<200 {
            trusted.take(try keys(UInt8(number)), from: "jwks", at: time(Int64(number)), overlap: .seconds(100_000))
        }
        #expect(trusted.held.count == TrustedKeys.Limit.rotatedOut + 1)
        let kept = trusted.keys(inOrderOf: ["jwks"])
        for number in UInt8(198)...199 { #expect(kept.contains(try Fixture.key(number))) }
        #expect(!kept.contains(try Fixture.key(0)))
        let bytes = trusted.bytes(inOrderOf: ["jwks"], stamp: stamp(900))
        #expect(TrustedKeys(reading: bytes, sources: ["jwks"], now: stamp(900)) == trusted)
    }

    @Test("P14: the file holds everything that must outlive a restart, and sshd reads its lines as keys")
    func roundTrip() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(1, 2), from: "jwks", at: time(0), overlap: .seconds(100))
        trusted.take(try keys(2), from: "jwks", at: time(5), overlap: .seconds(100))
        trusted.take(try keys(3), from: "file", at: time(6), overlap: .zero)
        let bytes = trusted.bytes(inOrderOf: ["jwks", "file"], stamp: stamp(6))
        #expect(TrustedKeys(reading: bytes, sources: ["jwks", "file"], now: stamp(6)) == trusted)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(try lines.map { try PublicKey(line: String($0)) } == keys(1, 2, 3))
    }

    @Test("A source that is not configured any more is not taken from the file")
    func dropsSources() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(1), from: "jwks", at: time(0), overlap: .zero)
        trusted.take(try keys(2), from: "imds", at: time(0), overlap: .zero)
        let read = TrustedKeys(
            reading: trusted.bytes(inOrderOf: ["jwks", "imds"], stamp: stamp()),
            sources: ["imds"],
            now: stamp()
        )
        #expect(try read.keys(inOrderOf: ["jwks", "imds"]) == keys(2))
    }

    @Test("Times that are near enough are kept as they were; keys, sources and absences never are")
    func times() throws {
        var before = TrustedKeys()
        before.take(try keys(1, 2), from: "jwks", at: time(1_000), overlap: .seconds(9_000))
        var after = before
        after.take(try keys(1, 2), from: "jwks", at: time(1_099), overlap: .seconds(9_000))
        #expect(after != before)
        #expect(after.keepingTimes(of: before, within: .seconds(100)) == before)
        #expect(after.keepingTimes(of: before, within: .seconds(99)) == after)
        #expect(after.keepingTimes(of: before, within: nil) == before)
        after.take(try keys(2, 3), from: "jwks", at: time(1_100), overlap: .seconds(9_000))
        let kept = after.keepingTimes(of: before, within: nil)
        #expect(kept.held.map(\.key) == after.held.map(\.key))
        #expect(kept.held.map(\.missingSince) == after.held.map(\.missingSince))
        #expect(kept.held.map(\.seenAt.seconds) == [1_099, 1_000, 1_100])
        #expect(after.keepingTimes(of: TrustedKeys(), within: nil) == after)
        let second = try Fixture.key(2)
        #expect(try after.without { $0 == second }.keys(inOrderOf: ["jwks"]) == keys(1, 3))
    }

    @Test("P13: every truncation and every changed byte of the file is read without harm, and adds no key")
    func damaged() throws {
        var trusted = TrustedKeys()
        trusted.take(try keys(1, 2), from: "jwks", at: time(0), overlap: .zero)
        let bytes = trusted.bytes(inOrderOf: ["jwks"], stamp: stamp())
        for length in bytes.indices {
            #expect(TrustedKeys(reading: Array(bytes[..<length]), sources: ["jwks"], now: stamp()).held.count <= 2)
        }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x20
            #expect(TrustedKeys(reading: changed, sources: ["jwks"], now: stamp()).held.count <= 2)
        }
    }

    @Test(
        "Lines of others are passed over",
        arguments: ["", "# x", "ssh-ed25519 AAAA", "ssh-ed25519 AAAA comment", "x entralogin source=jwks seen=1"]
    )
    func strange(line: String) {
        #expect(TrustedKeys(reading: Array(line.utf8), sources: ["jwks"], now: stamp()).held.isEmpty)
    }
}
