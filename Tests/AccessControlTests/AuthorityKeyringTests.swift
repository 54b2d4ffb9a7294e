// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import OpenSSHCertificates
import Testing

@Suite(.timeLimit(.minutes(15))) struct AuthorityKeyringTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture(persistedKeys: false) }

    private var keyring: AuthorityKeyring { fixture.access.keyring }

    private func key(_ number: UInt8) throws -> PublicKey { try Fixture.key(number) }

    private func lines(_ fixture: Fixture) -> [String] {
        fixture.keyFile.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
            $0.split(separator: " ").prefix(2).joined(separator: " ")
        }
    }

    @Test("A good answer is trusted, and published as a whole")
    func publishes() async throws {
        #expect(keyring.keys.isEmpty)
        await keyring.refresh()
        #expect(keyring.keys == [try key(1)])
        #expect(lines(fixture) == [try key(1).line])
        #expect(fixture.log.of(.keysPublished).count == 1)
        let status = keyring.status()
        #expect(status.keys == 1 && status.isPublished && !status.isStale && status.age == 0)
    }

    @Test("Rotation: the new key is there at once, the old one for the overlap")
    func rotation() async throws {
        await keyring.refresh()
        fixture.source.set([try key(2)])
        await keyring.refresh()
        #expect(keyring.keys == [try key(1), try key(2)])
        #expect(keyring.status().rotatedOut == 1)
        fixture.time.advance(by: .seconds(86_399))
        await keyring.refresh()
        #expect(keyring.keys.count == 2)
        fixture.time.advance(by: .seconds(1))
        await keyring.refresh()
        #expect(keyring.keys == [try key(2)])
        #expect(lines(fixture) == [try key(2).line])
    }

    @Test("P14: after a reboot no key goes before its source's first good answer, however long it was left out")
    func reboot() async throws {
        let keys = try [1, 2].map { try key($0).line }
        let file = """
            # boot=0f3c1a52-0000-4000-8000-00000000dead at=500000
            \(keys[0]) entralogin source=jwks seen=1 listed=100000 missing=2
            \(keys[1]) entralogin source=jwks seen=1 listed=499999

            """
        let fixture = try Fixture(keyFile: Array(file.utf8))
        let keyring = fixture.access.keyring
        fixture.source.fail(AccessCheckFault(.unreachable, detail: ""))
        for _ in 0..<30 {
            fixture.time.advance(by: .seconds(3600))
            await keyring.refresh()
        }
        #expect(keyring.keys.count == 2 && lines(fixture).count == 2)
        fixture.source.set([try key(2)])
        await keyring.refresh()
        #expect(keyring.keys == [try key(2)])
        #expect(fixture.keyFile.text.contains("# boot=\(Fixture.boot) at="))
    }

    @Test("P14: a daemon that starts anew in the same boot goes on counting; a clock that is set counts nothing")
    func sameBoot() async throws {
        await keyring.refresh()
        fixture.source.set([try key(2)])
        await keyring.refresh()
        let next = try Fixture(keyFile: fixture.keyFile.content.value.last)
        next.source.set([try key(2)])
        next.time.jumpWall(by: 40 * 86_400)
        next.time.advance(by: .seconds(86_398))
        await next.access.keyring.refresh()
        #expect(next.access.keyring.keys.count == 2)
        next.time.advance(by: .seconds(2))
        await next.access.keyring.refresh()
        #expect(next.access.keyring.keys == [try key(2)])
    }

    @Test("Keys that come and go are counted in status")
    func comingAndGoing() async throws {
        let common = FakeKeySource("jwks-common", [try key(1), try key(2)])
        let fixture = try Fixture(persistedKeys: false, furtherSources: [common])
        let keyring = fixture.access.keyring
        await keyring.refresh()
        for keys in try [[key(1)], [key(1)], [key(1), key(2)], [key(2)]] {
            common.set(keys)
            await keyring.refresh()
        }
        #expect(keyring.status().vanished == 2 && keyring.status().returned == 1)
        // One source's list is enough.
        #expect(keyring.keys.count == 2)
    }

    @Test("A refresh that root asks for is waited for; a source that is silent is not")
    func refreshed() async throws {
        let deadline = fixture.time.bootTime().advanced(by: .seconds(10))
        #expect(await fixture.access.keyring.refreshed(by: deadline))
        #expect(fixture.source.fetches.value == 1 && fixture.access.keyring.faults.isEmpty)
        fixture.source.fail(AccessCheckFault(.unreachable, detail: "no route"))
        #expect(await fixture.access.keyring.refreshed(by: deadline))
        #expect(fixture.access.keyring.faults.map(\.source) == ["jwks"])
        fixture.source.hold(true)
        let (keyring, time) = (fixture.access.keyring, fixture.time)
        async let ended = keyring.refreshed(by: deadline)
        await time.sleeping.wait { !$0.isEmpty }
        time.advance(by: .seconds(10))
        #expect(await !ended)
        fixture.source.hold(false)
    }

    @Test("P14: an outage, an empty answer and too many keys leave the last good set trusted and published")
    func lastGood() async throws {
        await keyring.refresh()
        let published = fixture.keyFile.text
        fixture.source.fail(AccessCheckFault(.unreachable, detail: "no route"))
        await keyring.refresh()
        fixture.source.set([])
        await keyring.refresh()
        fixture.source.set(try (0...64).map { try key($0) })
        await keyring.refresh()
        #expect(keyring.keys == [try key(1)])
        #expect(fixture.keyFile.text == published)
        #expect(keyring.status().sources.first?.fault?.reason == .malformedAnswer)
    }

    @Test("P14: what was published is trusted again after a restart, without the network")
    func restart() async throws {
        let fixture = try Fixture()
        fixture.source.fail(AccessCheckFault(.unreachable, detail: ""))
        await fixture.access.keyring.refresh()
        #expect(fixture.access.keyring.keys == [try key(1)])
        #expect(fixture.access.keyring.status().isPublished)
    }

    @Test("Nothing is published before there is a key")
    func nothing() async {
        fixture.source.fail(AccessCheckFault(.unreachable, detail: ""))
        await keyring.refresh()
        #expect(fixture.keyFile.content.value.isEmpty)
        let status = keyring.status()
        #expect(status.isStale && !status.isPublished && status.age == nil)
    }

    @Test("P14: a full disk leaves the old file, is said once, and is made good later")
    func fullDisk() async throws {
        await keyring.refresh()
        let before = fixture.keyFile.text
        fixture.keyFile.fill(true)
        fixture.source.set([try key(2)])
        await keyring.refresh()
        await keyring.refresh()
        #expect(fixture.keyFile.text == before)
        #expect(!keyring.status().isPublished)
        #expect(fixture.log.of(.keysPublished).filter { $0.priority == .error }.count == 1)
        fixture.keyFile.fill(false)
        await keyring.refresh()
        #expect(lines(fixture) == [try key(1).line, try key(2).line])
        #expect(keyring.status().isPublished)
    }

    @Test(
        "P16: keys that sshd's own copy does not have are not called published",
        arguments: [[], [2], [1, 2]] as [[UInt8]]
    )
    func copy(held: [UInt8]) async throws {
        let copy = try held.map { try key($0) }
        let fixture = try Fixture(sshdKeys: { copy })
        await fixture.access.keyring.refresh()
        #expect(!fixture.access.keyring.status().isPublished)
        let right = try [key(1)]
        let other = try Fixture(sshdKeys: { right })
        await other.access.keyring.refresh()
        #expect(other.access.keyring.status().isPublished)
    }

    @Test("P16: a copy that sshd may read and this process may not is no copy that is missing")
    func closedCopy() async throws {
        let fixture = try Fixture(sshdKeys: { nil })
        await fixture.access.keyring.refresh()
        #expect(fixture.access.keyring.status().isPublished)
    }

    @Test("Several sources are merged in the configured order; one that fails takes nothing of the others'")
    func severalSources() async throws {
        let (imds, file) = (FakeKeySource("imds", [try key(2), try key(1)]), FakeKeySource("file", [try key(3)]))
        let fixture = try Fixture(persistedKeys: false, furtherSources: [imds, file])
        let keyring = fixture.access.keyring
        await keyring.refresh()
        #expect(keyring.keys == (try [key(1), key(2), key(3)]))
        #expect(lines(fixture) == (try [1, 2, 1, 3].map { try key($0).line }))
        imds.fail(AccessCheckFault(.malformedAnswer, detail: ""))
        fixture.source.set([try key(4)])
        await keyring.refresh()
        #expect(keyring.keys == (try [key(1), key(4), key(2), key(3)]))
        #expect(keyring.status().sources.map(\.name) == ["jwks", "imds", "file"])
        #expect(keyring.status().sources.map { $0.fault != nil } == [false, true, false])
    }

    @Test("P3: an early refresh that brings the same keys writes nothing, however long the last one is ago")
    func earlyWritesNothing() async throws {
        await keyring.refresh()
        for hours in 1...30 {
            fixture.time.advance(by: .seconds(3600))
            keyring.noticeUnknownAuthority()
            await fixture.starter.settle()
            #expect(fixture.source.fetches.value == hours + 1)
        }
        #expect(fixture.keyFile.content.value.count == 1)
        #expect(!keyring.status().isStale && keyring.status().age == 0)
        fixture.source.set([try key(1), try key(2)])
        fixture.time.advance(by: .seconds(3600))
        keyring.noticeUnknownAuthority()
        await fixture.starter.settle()
        #expect(lines(fixture) == (try [key(1).line, key(2).line]))
    }

    @Test("The time of confirmation alone is written once an hour at most, so that the age outlives a restart")
    func timeAlone() async throws {
        await keyring.refresh()
        for _ in 0..<59 {
            fixture.time.advance(by: .seconds(60))
            await keyring.refresh()
        }
        #expect(fixture.keyFile.content.value.count == 1)
        fixture.time.advance(by: .seconds(60))
        await keyring.refresh()
        #expect(fixture.keyFile.content.value.count == 2)
        #expect(fixture.keyFile.text.contains("seen=1800003600"))
        // The wall clock may also go back.
        fixture.time.jumpWall(by: -7200)
        await keyring.refresh()
        #expect(fixture.keyFile.content.value.count == 3)
        #expect(fixture.log.of(.keysPublished).count == 1)
    }

    @Test("A full disk that only keeps the time of confirmation from being written is no fault of the keys")
    func timeOnFullDisk() async throws {
        await keyring.refresh()
        fixture.keyFile.fill(true)
        fixture.time.advance(by: .seconds(7200))
        await keyring.refresh()
        #expect(keyring.status().isPublished)
        #expect(fixture.log.of(.keysPublished).count == 1)
    }

    @Test(
        "A key that is taken out of the administrator's file is gone within a minute, a fault of it is looked at as often"
    )
    func administratorsFile() async throws {
        let file = FakeKeySource("file", [try key(7), try key(8)])
        let fixture = try Fixture(persistedKeys: false, furtherSources: [file])
        fixture.access.keyring.start()
        await fixture.keyFile.content.wait { !$0.isEmpty }
        for fetches in 1...3 {
            await fixture.time.sleeping.wait { !$0.isEmpty }
            let wake = try #require(fixture.time.sleeping.value.first)
            #expect(fixture.time.bootTime().duration(to: wake) <= .seconds(60))
            #expect(file.fetches.value == fetches)
            if fetches == 1 { file.fail(AccessCheckFault(.noAuthorityKeys, detail: "")) }
            if fetches == 2 { file.set([try key(8)]) }
            fixture.time.advance(by: .seconds(60))
            await file.fetches.wait { $0 > fetches }
        }
        await fixture.keyFile.content.wait { $0.count == 2 }
        #expect(fixture.access.keyring.keys == (try [key(1), key(8)]))
        #expect(fixture.source.fetches.value == 1)
    }

    @Test("A file of this machine does not keep the alarm of Entra's silent keys down; alone, it is what counts")
    func staleBesideFile() async throws {
        let file = FakeKeySource("file", [try key(7)])
        let fixture = try Fixture(persistedKeys: false, furtherSources: [file])
        await fixture.access.keyring.refresh()
        fixture.source.fail(AccessCheckFault(.unreachable, detail: ""))
        fixture.time.advance(by: .seconds(36 * 3600 + 1))
        await fixture.access.keyring.refresh()
        #expect(fixture.access.keyring.status().isStale)
        #expect(fixture.access.keyring.status().age == Int64(36 * 3600 + 1))
    }

    @Test("A fault is recorded when it begins, not at every try")
    func faultRecords() async {
        fixture.source.fail(AccessCheckFault(.unreachable, detail: "no route"))
        for _ in 0..<5 { await keyring.refresh() }
        #expect(fixture.log.of(.fault).count == 1)
    }

    @Test("A fetch that is due is tried once where there are keys; without keys, or where somebody waits, again")
    func retries() async throws {
        fixture.source.fail(AccessCheckFault(.unreachable, detail: ""))
        keyring.start()
        await fixture.source.retries.wait { $0 == [true] }
        let fixture = try Fixture()
        fixture.access.keyring.start()
        await fixture.source.retries.wait { $0 == [false] }
        _ = await fixture.access.keyring.refreshed(by: fixture.time.bootTime().advanced(by: .seconds(60)))
        #expect(fixture.source.retries.value == [false, true])
    }

    @Test("The loop refreshes within the source's lifetime, and retries a fault soon")
    func loop() async throws {
        fixture.source.set([try key(1)], lifetime: .seconds(1000))
        keyring.start()
        let source = fixture.source
        await source.fetches.wait { $0 == 1 }
        await fixture.time.sleeping.wait { !$0.isEmpty }
        let wake = try #require(fixture.time.sleeping.value.first)
        let pause = fixture.time.bootTime().duration(to: wake)
        #expect(pause >= .seconds(800) && pause <= .seconds(1000))
        source.fail(AccessCheckFault(.unreachable, detail: ""))
        fixture.time.advance(by: .seconds(1000))
        await source.fetches.wait { $0 == 2 }
        await fixture.time.sleeping.wait { !$0.isEmpty }
        let retry = try #require(fixture.time.sleeping.value.first)
        let wait = fixture.time.bootTime().duration(to: retry)
        #expect(wait >= .seconds(10) && wait <= .seconds(15))
    }

    @Test("The alarm rises when no source has confirmed the keys for long, once a day")
    func alarm() async throws {
        let fixture = try Fixture()
        fixture.source.fail(AccessCheckFault(.unreachable, detail: ""))
        fixture.time.advance(by: .seconds(36 * 3600 + 1))
        fixture.access.keyring.start()
        await fixture.log.records.wait { $0.contains { $0.event == .keysStale } }
        await fixture.time.sleeping.wait { !$0.isEmpty }
        #expect(fixture.access.keyring.status().isStale)
        let fetches = fixture.source.fetches.value
        fixture.time.advance(by: .seconds(3600))
        await fixture.source.fetches.wait { $0 > fetches }
        await fixture.time.sleeping.wait { !$0.isEmpty }
        #expect(fixture.log.of(.keysStale).count == 1)
    }

    @Test(
        "P13: keys are fetched every hour; the source's own lifetime may shorten that, to a minute, and never lengthen it",
        arguments: [0, 86_400, 1_000_000, nil] as [Int?]
    )
    func clamped(seconds: Int?) async throws {
        fixture.source.set([try key(1)], lifetime: seconds.map { .seconds($0) })
        keyring.start()
        await fixture.source.fetches.wait { $0 == 1 }
        await fixture.time.sleeping.wait { !$0.isEmpty }
        let wake = try #require(fixture.time.sleeping.value.first)
        let pause = fixture.time.bootTime().duration(to: wake)
        let longest: Duration = .seconds(seconds == 0 ? 60 : 3600)
        #expect(pause >= longest * 0.8 && pause <= longest)
    }
}
