// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import Identity
import Libcrypto
import OpenSSHCertificates
import Testing

/// Keys and certificates that many tests share: made once, by ssh-keygen, when the first test needs them.
enum Fixtures {
    /// 2026-01-01 00:00:00 UTC: the current time in all tests.
    static let now: Int64 = 1_767_225_600

    struct Keys {
        let factory: CertificateFactory
        /// `ssh-keygen -t rsa -b 2048`: Entra's kind of CA and of user key.
        let rsaAuthority: KeyPair
        let rsaUser: KeyPair
        /// `ssh-keygen -t ecdsa -b 256`, `-t ed25519`.
        let ecdsaAuthority: KeyPair
        let ed25519Authority: KeyPair
        let ed25519User: KeyPair
    }

    private static let made = Result {
        let factory = try CertificateFactory()
        return Keys(
            factory: factory,
            rsaAuthority: try factory.makeKey(.rsa(bits: 2048)),
            rsaUser: try factory.makeKey(.rsa(bits: 2048)),
            ecdsaAuthority: try factory.makeKey(.ecdsa(bits: 256)),
            ed25519Authority: try factory.makeKey(.ed25519),
            ed25519User: try factory.makeKey(.ed25519)
        )
    }

    static func keys() throws -> Keys { try made.get() }

    static var details: CertificateDetails { CertificateDetails(now: UInt64(now)) }

    /// A valid certificate like Entra's, with RSA keys only, changed by `edit` and then signed.
    static func handmade(_ edit: (inout HandmadeCertificate) -> Void = { _ in }) throws -> [UInt8] {
        let keys = try keys()
        var certificate = HandmadeCertificate(key: keys.rsaUser, authority: keys.rsaAuthority, details: details)
        edit(&certificate)
        return try certificate.signed(by: keys.rsaAuthority, with: keys.factory)
    }

    /// A small valid certificate by ssh-keygen: an Ed25519 key signed with ECDSA.
    static func small(_ edit: (inout CertificateDetails) -> Void = { _ in }) throws -> [UInt8] {
        let keys = try keys()
        var details = details
        edit(&details)
        return try keys.factory.certify(keys.ed25519User, by: keys.ecdsaAuthority, details)
    }

    /// Expectations that the valid certificates meet.
    static func expectations(
        loginName: String = CertificateDetails.principal,
        tenantID: String = CertificateDetails.tenantID,
        now: Int64 = now
    ) throws -> CertificateExpectations {
        let keys = try keys()
        return CertificateExpectations(
            loginName: UserName(loginName),
            tenant: try #require(TenantID(tenantID)),
            authorityKeys: try [keys.rsaAuthority, keys.ecdsaAuthority, keys.ed25519Authority].map {
                try PublicKey(parsing: $0.blob)
            },
            now: now
        )
    }

    static let verifier = CertificateVerifier(signatures: LibcryptoSignatureVerifier(), digests: LibcryptoDigests())

    /// Why a certificate is refused; nil if it is verified.
    static func refusal(
        of blob: [UInt8],
        against expectations: CertificateExpectations? = nil,
        by verifier: CertificateVerifier = verifier
    ) throws -> CertificateRefusal? {
        let certificate: Certificate
        do {
            certificate = try Certificate(parsing: blob)
        } catch {
            return error.refusal
        }
        switch verifier.verify(certificate, against: try expectations ?? Fixtures.expectations()) {
        case .verified: return nil
        case .refused(let refusal, _): return refusal
        }
    }
}
