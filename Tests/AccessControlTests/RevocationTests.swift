// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import OpenSSHCertificates
import Testing

/// The administrator's revocation list, as the certificate check, the keyring and the reports see it.
@Suite(.timeLimit(.minutes(15))) struct RevocationTests {
    private let house: House
    private let alice: Person
    private let imds: FakeKeySource

    init() throws {
        imds = FakeKeySource("imds", [try House.key(2)])
        house = try House(furtherSources: [imds])
        alice = try Person("alice@contoso.com", 1)
        house.accounts.set(alice.name, .provisional(alice.account))
    }

    private func check(in pid: Int32 = House.sshd) -> PrincipalVerdict {
        house.access.certificateCheck.check(house.request(alice, house.certificate(for: alice), in: pid))
    }

    private func published() -> [PublicKey] {
        TrustedKeys(
            reading: house.keyFile.content.value.last ?? [],
            sources: ["jwks", "imds"],
            now: TrustedKeys.Stamp(boot: House.boot, writtenAt: house.time.bootTime())
        )
        .keys(inOrderOf: ["jwks", "imds"])
    }

    @Test("P4: each certificate is held against the list as it is at that moment")
    func eachCheck() throws {
        #expect(check() == .principal(alice.name.text))
        try house.revocation.revoke([try House.key(9)])
        #expect(check() == .principal(alice.name.text))
        // The certificate's CA, then its own key.
        for number: UInt8 in [1, 3] {
            try house.revocation.revoke([try House.key(number), try House.key(9)])
            let certificate = house.certificate(for: alice, 3)
            let verdict = house.access.certificateCheck.check(house.request(alice, certificate))
            #expect(verdict.reason == .certificateRevoked)
        }
    }

    @Test("P4: with a list that cannot be used no Entra account gets in, and the log says it once, as an error")
    func unusable() async throws {
        house.revocation.spoil("/etc/revoked: a damaged KRL")
        for pid in Int32(100)..<110 { #expect(check(in: pid).reason == .revokedKeysUnusable) }
        let faults = house.log.of(.fault)
        #expect(faults.count == 1)
        #expect(faults.first?.priority == .error && faults.first?.reason == .revokedKeysUnusable)
        #expect(faults.first?.detail == "/etc/revoked: a damaged KRL")
        #expect(house.log.of(.certificate).last?.detail == "/etc/revoked: a damaged KRL")
        let status = try #require(await house.access.status().revocation)
        #expect(status.fault == "/etc/revoked: a damaged KRL" && status.entries == 0)
        house.revocation.spoil("/etc/revoked: gone")
        #expect(check(in: 200).reason == .revokedKeysUnusable)
        #expect(house.log.of(.fault).count == 2)
        try house.revocation.revoke([])
        #expect(check(in: 300) == .principal(alice.name.text))
        #expect(house.log.of(.reloaded).contains { $0.priority == .notice })
        #expect(await house.access.status().revocation?.fault == nil)
    }

    @Test("P4: a revoked CA key leaves sshd's file at the next certificate, and comes back when it is taken back")
    func revokedAuthority() async throws {
        await house.access.keyring.refresh()
        #expect(published() == (try [House.key(1), House.key(2)]))
        try house.revocation.revoke([try House.key(2)])
        _ = check()
        await house.starter.settle()
        #expect(published() == (try [House.key(1)]))
        try house.revocation.revoke([])
        _ = check()
        await house.starter.settle()
        #expect(published() == (try [House.key(1), House.key(2)]))
    }

    @Test("P4: a revoked CA key leaves sshd's file within a minute when nobody signs in")
    func revokedInTheBackground() async throws {
        house.access.keyring.start()
        await house.keyFile.content.wait { !$0.isEmpty }
        await house.time.sleeping.wait { !$0.isEmpty }
        try house.revocation.revoke([try House.key(1)])
        // The daemon did not know that there is a list; from now on it checks each minute.
        house.time.advance(by: .seconds(3600))
        await house.keyFile.content.wait { $0.count > 1 }
        #expect(published() == (try [House.key(2)]))
        await house.time.sleeping.wait { !$0.isEmpty }
        let wake = try #require(house.time.sleeping.value.first)
        #expect(house.time.bootTime().duration(to: wake) <= .seconds(60))
    }

    @Test("P4: with every CA key revoked sshd's file holds none; an outage after that brings none back")
    func allRevoked() async throws {
        await house.access.keyring.refresh()
        try house.revocation.revoke([try House.key(1), try House.key(2)])
        _ = check()
        await house.starter.settle()
        #expect(published().isEmpty && house.keyFile.text.hasPrefix("#"))
        house.source.fail(AccessCheckFault(.unreachable, detail: ""))
        imds.fail(AccessCheckFault(.unreachable, detail: ""))
        await house.access.keyring.refresh()
        #expect(published().isEmpty)
    }

    @Test("P4: while the list cannot be used, what it revoked before stays out of sshd's file")
    func lastGoodList() async throws {
        try house.revocation.revoke([try House.key(2)])
        await house.access.keyring.refresh()
        #expect(published() == (try [House.key(1)]))
        house.revocation.spoil("gone")
        house.source.set([try House.key(1), try House.key(3)])
        await house.access.keyring.refresh()
        #expect(published() == (try [House.key(1), House.key(3)]))
    }

    @Test("check-certificate and explain know the list, too")
    func reports() async throws {
        #expect(
            await house.access.explanation.explain(alice.name.text, asking: false).steps.count {
                $0.subject == "revocation"
            } == 0
        )
        try house.revocation.revoke([try House.key(9)])
        let certificate = house.certificate(for: alice)
        _ = try house.access.verify(keyType: House.keyType, base64: certificate, for: alice.name)
        var steps = await house.access.explanation.explain(alice.name.text, asking: false).steps
        #expect(steps.first { $0.subject == "revocation" }?.outcome == .ok)
        house.revocation.spoil("gone")
        let denial = #expect(throws: Denial.self) {
            try house.access.verify(keyType: House.keyType, base64: certificate, for: alice.name)
        }
        #expect(denial?.reason == .revokedKeysUnusable)
        steps = await house.access.explanation.explain(alice.name.text, asking: false).steps
        #expect(steps.first { $0.subject == "revocation" }?.reason == "revoked-keys-unusable")
    }
}
