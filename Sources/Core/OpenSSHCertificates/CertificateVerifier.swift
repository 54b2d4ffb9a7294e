// SPDX-License-Identifier: Apache-2.0

package import Identity

/// What a certificate is checked against: all of it comes from the caller, nothing from a clock or a file.
package struct CertificateExpectations: Hashable, Sendable {
    /// The login name, as NSS gives it; nil for a name that no Entra account can have, which no certificate fits.
    package var loginName: UserName?
    /// The machine's tenant.
    package var tenant: TenantID
    /// The CA keys that the machine trusts.
    package var authorityKeys: [PublicKey]
    /// What the administrator has revoked.
    package var revoked: KeyRevocationList
    /// Seconds since 1970.
    package var now: Int64

    package init(
        loginName: UserName?,
        tenant: TenantID,
        authorityKeys: [PublicKey],
        revoked: KeyRevocationList = KeyRevocationList(),
        now: Int64
    ) {
        self.loginName = loginName
        self.tenant = tenant
        self.authorityKeys = authorityKeys
        self.revoked = revoked
        self.now = now
    }
}

/// The answer to "is this certificate valid, for this name, here and now?".
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
            guard certificate.typeName == declaredType else {
                return .refused(.keyTypeMismatch, detail: "sshd says otherwise")
            }
            return verify(certificate, against: expectations)
        } catch {
            return .refused(error.refusal, detail: error.field)
        }
    }

    /// Checks a certificate that is parsed already.
    package func verify(
        _ certificate: Certificate,
        against expectations: CertificateExpectations
    ) -> CertificateVerdict {
        let identity = certificate.identity
        for (_, rule) in rules(for: expectations, identity) {
            if case .refused(let refusal, let detail) = rule.check(certificate) {
                return .refused(refusal, detail: detail)
            }
        }
        // sshd compares the name in the certificate's own spelling.
        let principal = certificate.principals.first { lowercasedASCII($0) == expectations.loginName?.text }
        guard case .success(let identity) = identity, let principal else {
            return .refused(.objectIDMissing, detail: "")
        }
        return .verified(VerifiedCertificate(certificate, of: identity, principal: principal))
    }

    /// The order matters. Cheap rules come first, trust in the CA key and the dates among them, so that an old
    /// certificate causes no work; then its signature. What the certificate claims counts only after that, and
    /// "revoked" is said only of what the CA really signed.
    func rules(
        for expectations: CertificateExpectations,
        _ identity: Result<DirectoryIdentity, CertificateRefusal>
    ) -> [(title: String, rule: any CertificateRule)] {
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
            ("identity", IdentityRule(identity: identity)),
            ("tenant", TenantRule(identity: identity, tenant: expectations.tenant)),
        ]
    }
}

/// A certificate that every rule accepted, for one name, at one moment. It proves who the user is, not that the user
/// may sign in.
package struct VerifiedCertificate: Hashable, Sendable {
    /// `ssh-rsa-cert-v01@openssh.com` and the like.
    package let keyType: String
    /// The whole certificate, for the comparison with the credential that sshd says was used.
    package let blob: [UInt8]
    /// Who it is for.
    package let identity: DirectoryIdentity
    /// The login name that it was verified for, spelled as in the certificate: sshd compares it byte for byte.
    package let principal: String
    /// For display only: the directory's name for the user, at most 256 characters, valid UTF-8 without NUL but
    /// otherwise not cleaned; empty where the certificate does not say.
    package let displayName: String
    package let serial: UInt64
    package let keyID: String

    fileprivate init(_ certificate: Certificate, of identity: DirectoryIdentity, principal: String) {
        keyType = certificate.typeName
        blob = certificate.blob
        self.identity = identity
        self.principal = principal
        displayName = String((certificate.extensions[Certificate.displayNameExtension]?.nestedText ?? "").prefix(256))
        serial = certificate.serial
        keyID = certificate.keyID
    }
}
