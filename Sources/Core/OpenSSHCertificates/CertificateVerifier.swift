// SPDX-License-Identifier: Apache-2.0

/// What a certificate must fit: all of it comes from the caller, nothing from a clock or a file.
package struct CertificateExpectations: Hashable, Sendable {
    /// The name that signs in, in lower case, as NSS gives it.
    package var loginName: String
    /// The machine's tenant, a GUID.
    package var tenantID: String
    /// The CA keys that the machine trusts.
    package var authorityKeys: [PublicKey]
    /// What the administrator took back.
    package var revoked: KeyRevocationList
    /// Seconds since 1970.
    package var now: Int64

    package init(
        loginName: String,
        tenantID: String,
        authorityKeys: [PublicKey],
        revoked: KeyRevocationList = KeyRevocationList(),
        now: Int64
    ) {
        self.loginName = loginName
        self.tenantID = tenantID
        self.authorityKeys = authorityKeys
        self.revoked = revoked
        self.now = now
    }
}

/// The answer to "is this certificate good, for this name, here and now?".
package enum CertificateVerdict: Hashable, Sendable {
    case verified(VerifiedCertificate)
    /// `detail` is for the record: bounded, printable, without key material; may be empty.
    case refused(CertificateRefusal, detail: String)
}

/// Applies every rule, in order. The only maker of `VerifiedCertificate`.
package struct CertificateVerifier: Sendable {
    private let signatures: any SignatureVerifier
    private let digests: any KeyDigests
    private let limits: ValidityLimits

    package init(
        signatures: any SignatureVerifier,
        digests: any KeyDigests,
        limits: ValidityLimits = ValidityLimits()
    ) {
        self.signatures = signatures
        self.digests = digests
        self.limits = limits
    }

    /// Checks what sshd hands over: `%k`, the certificate in base64, and `%t`, its key type.
    package func verify(
        base64: String,
        declaredType: String,
        against expectations: CertificateExpectations
    ) -> CertificateVerdict {
        do throws(CertificateFormatError) {
            let certificate = try Certificate(base64: base64)
            guard certificate.typeName == declaredType else { return .refused(.keyTypeMismatch, detail: "") }
            return verify(certificate, against: expectations)
        } catch {
            return .refused(error.refusal, detail: error.field)
        }
    }

    /// Checks a certificate that was read before.
    package func verify(
        _ certificate: Certificate,
        against expectations: CertificateExpectations
    ) -> CertificateVerdict {
        for (_, rule) in rules(for: expectations) {
            if case .refused(let refusal, let detail) = rule.check(certificate) {
                return .refused(refusal, detail: detail)
            }
        }
        guard case .identity(let identity) = CertifiedIdentity.read(from: certificate) else {
            return .refused(.objectIDMissing, detail: "")
        }
        return .verified(VerifiedCertificate(certificate, identity: identity, principal: expectations.loginName))
    }

    /// The order of the argument. What costs nothing comes first, and the dates, so that an old certificate never
    /// leads to work; then trust in the key, then its signature; what the certificate claims counts only after that, and
    /// "revoked" is said only of what the CA really signed.
    func rules(for expectations: CertificateExpectations) -> [(title: String, rule: any CertificateRule)] {
        [
            ("purpose", PurposeRule()),
            ("key", UserKeyRule()),
            ("authority-key", AuthorityKeyRule()),
            ("authority", AuthorityKnownRule(keys: expectations.authorityKeys)),
            ("validity", ValidityRule(now: expectations.now, limits: limits)),
            ("signature", SignatureRule(verifier: signatures)),
            ("revocation", RevocationRule(list: expectations.revoked, digests: digests)),
            ("name", PrincipalRule(loginName: expectations.loginName)),
            ("critical-options", CriticalOptionRule()),
            ("extensions", ExtensionRule()),
            ("identity", IdentityRule()),
            ("tenant", TenantRule(tenantID: expectations.tenantID)),
        ]
    }
}

/// A certificate that every rule accepted, for one name, at one moment. It says who it is for; whether that person may
/// sign in is not its matter.
package struct VerifiedCertificate: Hashable, Sendable {
    package let certificate: Certificate
    /// Who it is for: GUIDs, in lower case.
    package let objectID: String
    package let tenantID: String
    /// The login name that it was verified for.
    package let principal: String
    /// For people only: what the directory calls them, at most 256 characters, valid UTF-8 without NUL but otherwise
    /// not cleaned; nil where the certificate does not say.
    package let displayName: String?
    /// Seconds since 1970: good from here to before there.
    package let validAfter: Int64
    package let validBefore: Int64

    fileprivate init(_ certificate: Certificate, identity: CertifiedIdentity, principal: String) {
        self.certificate = certificate
        objectID = identity.objectID
        tenantID = identity.tenantID
        self.principal = principal
        displayName = certificate.extensions[CertifiedIdentity.displayNameExtension]?.nestedText
            .map { String($0.prefix(256)) }
        validAfter = Int64(clamping: certificate.validAfter)
        validBefore = Int64(clamping: certificate.validBefore)
    }

    /// The whole certificate, for the comparison with the credential that sshd says was used.
    package var blob: [UInt8] { certificate.blob }
    package var keyID: String { certificate.keyID }
    package var serial: UInt64 { certificate.serial }
    /// The CA's key, whose blob is what its fingerprint is made of.
    package var authorityKey: PublicKey { certificate.authorityKey }
}
