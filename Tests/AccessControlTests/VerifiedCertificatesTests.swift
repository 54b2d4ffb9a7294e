// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import OpenSSHCertificates
import Testing

@Suite struct VerifiedCertificatesTests {
    private let processes = FakeProcesses()
    private let time = VirtualTime()
    private let alice: Person

    init() throws { alice = try Person("alice@contoso.com", 1) }

    private func table(limit: Int = 4) -> VerifiedCertificates {
        VerifiedCertificates(watcher: processes, lifetime: .seconds(120), processLimit: limit)
    }

    private func verified(_ number: UInt8 = 1) throws -> VerifiedHere {
        let expectations = CertificateExpectations(
            loginName: alice.name,
            tenant: alice.identity.tenant,
            authorityKeys: [try Fixture.key(1)],
            now: time.wallTime().seconds
        )
        return VerifiedHere(
            user: alice.name,
            uid: alice.uid.number,
            home: alice.home,
            certificate: try Fixture.verifier.verify(
                base64: Fixture.certificate(for: alice, number),
                declaredType: Fixture.keyType,
                against: expectations
            ).get(),
            verifiedAt: time.bootTime(),
            correlation: CountingRandom().correlationID()
        )
    }

    @Test("sshd's second run finds what the first one remembered")
    func twice() throws {
        let table = table()
        #expect(try table.remember(verified(), in: 10) == .new)
        #expect(try table.remember(verified(), in: 10) == .again(verified().correlation))
        #expect(table.found(in: 10, at: time.bootTime()).count == 1)
    }

    @Test("P4: what was verified in one process says nothing in another")
    func otherProcess() throws {
        let table = table()
        _ = try table.remember(verified(), in: 10)
        #expect(table.found(in: 11, at: time.bootTime()).isEmpty)
    }

    @Test("P4: a process that died leaves nothing behind, also for one that gets its number")
    func pidReuse() throws {
        let table = table()
        _ = try table.remember(verified(1), in: 10)
        processes.reuse(10)
        #expect(table.found(in: 10, at: time.bootTime()).isEmpty)
        #expect(try table.remember(verified(2), in: 10) == .new)
        #expect(table.found(in: 10, at: time.bootTime()).map(\.certificate) == [try verified(2).certificate])
        processes.reuse(10)
        #expect(try table.remember(verified(3), in: 10) == .new)
        #expect(table.found(in: 10, at: time.bootTime()).map(\.certificate) == [try verified(3).certificate])
    }

    @Test("P4: nothing counts for longer than the login grace")
    func expiry() throws {
        let table = table()
        _ = try table.remember(verified(), in: 10)
        time.advance(by: .seconds(120))
        #expect(table.found(in: 10, at: time.bootTime()).count == 1)
        time.advance(by: .seconds(1))
        #expect(table.found(in: 10, at: time.bootTime()).isEmpty)
        table.sweep(at: time.bootTime())
        #expect(table.processCount == 0)
    }

    @Test("Nothing is remembered for a process that does not live")
    func noProcess() {
        processes.kill(10)
        #expect(throws: Denial.self) { try table().remember(verified(), in: 10) }
    }

    @Test("P13: a process has room for a few certificates only")
    func perProcess() throws {
        let table = table()
        for number in 0..<UInt8(VerifiedCertificates.perProcess) { _ = try table.remember(verified(number), in: 10) }
        let denial = #expect(throws: Denial.self) { try table.remember(verified(99), in: 10) }
        #expect(denial?.reason == .tooManyAttempts)
        #expect(try table.remember(verified(0), in: 10) != .new)
    }

    @Test("A user who is in takes no room: a thousand open sessions and two hundred sign-ins at once")
    func roomForSignIns() throws {
        let table = VerifiedCertificates(watcher: processes, lifetime: .seconds(120))
        for pid in 1000..<Int32(1000 + VerifiedCertificates.processLimit) {
            _ = try table.remember(verified(), in: pid)
            table.forget(pid: pid)
            #expect(table.found(in: pid, at: time.bootTime()).isEmpty)
        }
        for pid in Int32(5000)..<5200 { #expect(try table.remember(verified(), in: pid) == .new) }
        #expect(table.processCount == 200)
    }

    @Test("P13: a full table gives up only what is dead or old; otherwise the new one is refused")
    func full() throws {
        let table = table(limit: 2)
        _ = try table.remember(verified(), in: 10)
        _ = try table.remember(verified(), in: 11)
        let denial = #expect(throws: Denial.self) { try table.remember(verified(), in: 12) }
        #expect(denial?.reason == .tooManyAttempts)
        #expect(table.found(in: 10, at: time.bootTime()).count == 1)
        processes.kill(10)
        #expect(try table.remember(verified(), in: 12) == .new)
        time.advance(by: .seconds(121))
        #expect(try table.remember(verified(), in: 13) == .new)
        #expect(table.processCount == 1)
    }
}
