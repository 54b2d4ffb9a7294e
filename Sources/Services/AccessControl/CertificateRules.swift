// SPDX-License-Identifier: Apache-2.0

internal import Authorization
package import Identity
package import OpenSSHCertificates

/// The rules of OpenSSHCertificates, in the words of this module.
package struct CertificateRules: CertificateEvaluator {
    private let verifier: CertificateVerifier

    package init(_ verifier: CertificateVerifier) { self.verifier = verifier }

    package func evaluate(
        keyType: String,
        base64: String,
        for name: UserName?,
        at time: UnixTime,
        authorities: [PublicKey],
        revoked: KeyRevocationList,
        tenant: TenantID
    ) -> CertificateFinding {
        let certificate: Certificate
        do throws(CertificateFormatError) { certificate = try Certificate(base64: base64) } catch {
            return CertificateRules.refused(error.refusal, detail: error.field)
        }
        guard certificate.typeName == keyType else {
            return CertificateRules.refused(.keyTypeMismatch, detail: "sshd says otherwise")
        }
        guard let name = name ?? certificate.principals.lazy.compactMap({ UserName(folding: $0) }).first else {
            return CertificateRules.refused(.noPrincipals, detail: "no principal can be the name of an Entra account")
        }
        let expectations = CertificateExpectations(
            loginName: name.text,
            tenantID: tenant.guid.text,
            authorityKeys: authorities,
            revoked: revoked,
            now: time.seconds
        )
        switch verifier.verify(certificate, against: expectations) {
        case .refused(let refusal, let detail): return CertificateRules.refused(refusal, detail: detail)
        case .verified(let verified): return CertificateRules.evaluated(verified)
        }
    }

    package func examine(
        _ certificate: Certificate,
        for name: UserName?,
        at time: UnixTime,
        authorities: [PublicKey],
        revoked: KeyRevocationList,
        tenant: TenantID
    ) -> [ExaminedRule] {
        let expectations = CertificateExpectations(
            loginName: (name ?? certificate.principals.lazy.compactMap { UserName(folding: $0) }.first)?.text ?? "",
            tenantID: tenant.guid.text,
            authorityKeys: authorities,
            revoked: revoked,
            now: time.seconds
        )
        return verifier.examine(certificate, against: expectations)
    }

    private static func evaluated(_ verified: VerifiedCertificate) -> CertificateFinding {
        let certificate = verified.certificate
        // What sshd compares is the certificate's own spelling; the name that was verified is its lower case.
        let principal = certificate.principals.first { UserName(folding: $0)?.text == verified.principal }
        guard let objectID = ObjectID(verified.objectID), let tenant = TenantID(verified.tenantID), let principal else {
            return refused(.objectIDMalformed, detail: "the identity cannot be read")
        }
        return .good(
            EvaluatedCertificate(
                keyType: certificate.typeName,
                blob: verified.blob,
                identity: DirectoryIdentity(tenant: tenant, objectID: objectID),
                principal: principal,
                displayName: verified.displayName ?? "",
                serial: verified.serial,
                keyID: verified.keyID
            )
        )
    }

    private static func refused(_ refusal: CertificateRefusal, detail: String) -> CertificateFinding {
        let reason: DenialReason =
            switch refusal {
            case .wrongTenant: .wrongTenant
            case .wrongName: .wrongName
            case .revoked: .certificateRevoked
            case .revocationNotChecked: .revokedKeysUnusable
            default: .certificate
            }
        let particulars = detail.isEmpty ? refusal.rawValue : "\(refusal.rawValue): \(detail)"
        let denial = Denial(reason, text: refusal.text, detail: particulars)
        return refusal == .authorityUnknown ? .unknownAuthority(denial) : .refused(denial)
    }
}
