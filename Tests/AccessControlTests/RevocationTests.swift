// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import OpenSSHCertificates
import Testing

/// The administrator's revocation list, as the certificate check, the keyring and the reports see it.
@Suite(.timeLimit(.minutes(15))) struct RevocationTests {
    private let fixture: Fixture
    private let alice: Person
    private let imds: FakeKeySource

    init() throws {
        imds = FakeKeySource("imds", [try Fixture.key(2)])
        fixture = try Fixture(furtherSources: [imds])
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(alice.account))
    }

    private func check(in pid: Int32 = Fixture.sshd) -> PrincipalVerdict {
        fixture.access.certificateCheck.check(fixture.request(alice, fixture.certificate(for: alice), in: pid))
    }

    private func published() -> [PublicKey] {
        TrustedKeys(
            reading: fixture.keyFile.content.value.last ?? [],
            sources: ["jwks", "imds"],
            now: TrustedKeys.Stamp(boot: Fixture.boot, writtenAt: fixture.time.bootTime())
        )
        .keys(inOrderOf: ["jwks", "imds"])
    }

    @Test("P4: each certificate is held against the list as it is at that moment")
    func eachCheck() throws {
        #expect(check() == .principal(alice.name.text))
        try fixture.revocation.revoke([try Fixture.key(9)])
        #expect(check() == .principal(alice.name.text))
        // The certificate's CA, then its own key.
        for number: UInt8 in [1, 3] {
            try fixture.revocation.revoke([try Fixture.key(number), try Fixture.key(9)])
            let certificate = fixture.certificate(for: alice, 3)
            let verdict = fixture.access.certificateCheck.check(fixture.request(alice, certificate))
            #expect(verdict.reason == .certificateRevoked)
        }
    }

    @Test("P4: with a list that cannot be used no Entra account gets in, and the log says it once, as an error")
    func unusable() async throws {
        fixture.revocation.spoil("/etc/revoked: a damaged KRL")
        for pid in Int32(100)..<110 { #expect(check(in: pid).reason == .revokedKeysUnusable) }
        let faults = fixture.log.of(.fault)
        #expect(faults.count == 1)
        #expect(faults.first?.priority == .error && faults.first?.reason == .revokedKeysUnusable)
        #expect(faults.first?.detail == "/etc/revoked: a damaged KRL")
        #expect(fixture.log.of(.certificate).last?.detail == "/etc/revoked: a damaged KRL")
        let status = try #require(await fixture.access.status().revocation)
        #expect(status.fault == "/etc/revoked: a damaged KRL" && status.entries == 0)
        fixture.revocation.spoil("/etc/revoked: gone")
        #expect(check(in: 200).reason == .revokedKeysUnusable)
        #expect(fixture.log.of(.fault).count == 2)
        try fixture.revocation.revoke([])
        #expect(check(in: 300) == .principal(alice.name.text))
        #expect(fixture.log.of(.reloaded).contains { $0.priority == .notice })
        #expect(await fixture.access.status().revocation?.fault == nil)
    }

    @Test("P4: a revoked CA key leaves sshd's file at the next certificate, and comes back when it is taken back")
    func revokedAuthority() async throws {
        await fixture.access.keyring.refresh()
        #expect(published() == (try [Fixture.key(1), Fixture.key(2)]))
        try fixture.revocation.revoke([try Fixture.key(2)])
        _ = check()
        await fixture.starter.settle()
        #expect(published() == (try [Fixture.key(1)]))
        try fixture.revocation.revoke([])
        _ = check()
        await fixture.starter.settle()
        #expect(published() == (try [Fixture.key(1), Fixture.key(2)]))
    }

    @Test("P4: a revoked CA key leaves sshd's file within a minute when nobody signs in")
    func revokedInTheBackground() async throws {
        fixture.access.keyring.start()
        await fixture.keyFile.content.wait { !$0.isEmpty }
        await fixture.time.sleeping.wait { !$0.isEmpty }
        try fixture.revocation.revoke([try Fixture.key(1)])
        // The daemon did not know that there is a list; from now on it checks each minute.
        fixture.time.advance(by: .seconds(3600))
        await fixture.keyFile.content.wait { $0.count > 1 }
        #expect(published() == (try [Fixture.key(2)]))
        await fixture.time.sleeping.wait { !$0.isEmpty }
        let wake = try #require(fixture.time.sleeping.value.first)
        #expect(fixture.time.bootTime().duration(to: wake) <= .seconds(60))
    }

    @Test("P4: with every CA key revoked sshd's file holds none; an outage after that brings none back")
    func allRevoked() async throws {
        await fixture.access.keyring.refresh()
        try fixture.revocation.revoke([try Fixture.key(1), try Fixture.key(2)])
        _ = check()
        await fixture.starter.settle()
        #expect(published().isEmpty && fixture.keyFile.text.hasPrefix("#"))
        fixture.source.fail(AccessCheckFault(.unreachable, detail: ""))
        imds.fail(AccessCheckFault(.unreachable, detail: ""))
        await fixture.access.keyring.refresh()
        #expect(published().isEmpty)
    }

    @Test("P4: while the list cannot be used, what it revoked before stays out of sshd's file")
    func lastGoodList() async throws {
        try fixture.revocation.revoke([try Fixture.key(2)])
        await fixture.access.keyring.refresh()
        #expect(published() == (try [Fixture.key(1)]))
        fixture.revocation.spoil("gone")
        fixture.source.set([try Fixture.key(1), try Fixture.key(3)])
        await fixture.access.keyring.refresh()
        #expect(published() == (try [Fixture.key(1), Fixture.key(3)]))
    }

    @Test("check-certificate and explain know the list, too")
    func reports() async throws {
        #expect(
            await fixture.access.explanation.explain(alice.name.text, asking: false).steps.count {
                $0.subject == "revocation"
            } == 0
        )
        try fixture.revocation.revoke([try Fixture.key(9)])
        let certificate = fixture.certificate(for: alice)
        _ = try fixture.access.verify(keyType: Fixture.keyType, base64: certificate, for: alice.name)
        var steps = await fixture.access.explanation.explain(alice.name.text, asking: false).steps
        #expect(steps.first { $0.subject == "revocation" }?.outcome == .ok)
        fixture.revocation.spoil("gone")
        let denial = #expect(throws: Denial.self) {
            try fixture.access.verify(keyType: Fixture.keyType, base64: certificate, for: alice.name)
        }
        #expect(denial?.reason == .revokedKeysUnusable)
        steps = await fixture.access.explanation.explain(alice.name.text, asking: false).steps
        #expect(steps.first { $0.subject == "revocation" }?.reason == "revoked-keys-unusable")
    }
}
