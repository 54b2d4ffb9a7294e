// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import ByteCoding
import CertificateFactory
import Identity
import Libcrypto
import OpenSSHCertificates
import Testing

@Suite struct CertificateRulesTests {
    private let factory: CertificateFactory
    private let authority: KeyPair
    private let user: KeyPair
    private let tenant: TenantID
    private let rules = CertificateRules(
        CertificateVerifier(signatures: LibcryptoSignatureVerifier(), digests: LibcryptoDigests())
    )
    private let now: UInt64 = 1_800_000_000

    init() throws {
        factory = try CertificateFactory()
        authority = try factory.makeKey(.ed25519)
        user = try factory.makeKey(.ed25519)
        tenant = try #require(TenantID(CertificateDetails.tenantID))
    }

    private func evaluate(
        _ details: CertificateDetails,
        for name: String? = CertificateDetails.principal,
        keyType: String = "ssh-ed25519-cert-v01@openssh.com",
        authorities: [PublicKey]? = nil,
        revoked: KeyRevocationList = KeyRevocationList()
    ) throws -> CertificateFinding {
        let blob = try factory.certify(user, by: authority, details)
        return rules.evaluate(
            keyType: keyType,
            base64: Base64.encode(blob),
            for: name.flatMap { UserName($0) },
            at: UnixTime(seconds: Int64(now)),
            authorities: try authorities ?? [PublicKey(parsing: authority.blob)],
            revoked: revoked,
            tenant: tenant
        )
    }

    @Test("P4: a certificate of Entra's shape gives the identity, and the principal as it is spelled there")
    func good() throws {
        let details = CertificateDetails(now: now, principal: "Alice@Contoso.com")
        for name in ["alice@contoso.com", nil] {
            guard case .good(let evaluated) = try evaluate(details, for: name) else {
                Issue.record("refused")
                return
            }
            #expect(evaluated.principal == "Alice@Contoso.com")
            #expect(evaluated.identity.tenant == tenant)
            #expect(evaluated.identity.objectID.description == CertificateDetails.objectID)
            #expect(evaluated.displayName == "Alice Example")
        }
    }

    private func reason(_ finding: CertificateFinding) -> DenialReason? {
        switch finding {
        case .good: nil
        case .refused(let denial), .unknownAuthority(let denial): denial.reason
        }
    }

    @Test("Each kind of refusal has its reason, and the rule's own code in the detail")
    func refusals() throws {
        let good = CertificateDetails(now: now)
        #expect(try reason(evaluate(good, for: "bob@contoso.com")) == .wrongName)
        let otherTenant = "cccccccc-5555-4666-8777-888888888888"
        #expect(try reason(evaluate(CertificateDetails(now: now, tenantID: otherTenant))) == .wrongTenant)
        guard case .refused(let expired) = try evaluate(CertificateDetails(now: now - 7200)) else {
            Issue.record("allowed")
            return
        }
        #expect(expired.reason == .certificate && expired.detail.hasPrefix("expired"))
        #expect(try reason(evaluate(good, keyType: "ssh-rsa-cert-v01@openssh.com")) == .certificate)
    }

    @Test("An unknown CA is told apart, so that the keys can be fetched early")
    func unknownAuthority() throws {
        let finding = try evaluate(CertificateDetails(now: now), authorities: [try House.key(1)])
        guard case .unknownAuthority(let denial) = finding else {
            Issue.record("\(finding)")
            return
        }
        #expect(denial.reason == .certificate)
    }

    @Test("P4: what the administrator revoked is refused for that reason, by key id and by key")
    func revoked() throws {
        let details = CertificateDetails(now: now)
        for specification in ["id: \(details.keyID)", "sha256: \(user.line)", "key: \(authority.line)"] {
            let list = try KeyRevocationList(parsing: factory.revoke([specification]))
            #expect(reason(try evaluate(details, revoked: list)) == .certificateRevoked)
        }
        let other = try KeyRevocationList(parsing: factory.revoke(["id: somebody-else"]))
        #expect(reason(try evaluate(details, revoked: other)) == nil)
    }

    @Test("What is no certificate is refused", arguments: ["", "AAAA", "!", "AAAAB3NzaC1yc2E="])
    func garbage(base64: String) {
        let finding = rules.evaluate(
            keyType: "ssh-rsa-cert-v01@openssh.com",
            base64: base64,
            for: nil,
            at: UnixTime(seconds: Int64(now)),
            authorities: [],
            revoked: KeyRevocationList(),
            tenant: tenant
        )
        #expect(reason(finding) == .certificate)
    }
}
