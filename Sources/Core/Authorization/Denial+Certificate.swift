// SPDX-License-Identifier: Apache-2.0

package import OpenSSHCertificates

extension CertificateVerdict {
    /// The certificate if every rule accepted it; otherwise throws the refusal of the first rule that did not.
    package func get() throws(Denial) -> VerifiedCertificate {
        switch self {
        case .verified(let certificate): return certificate
        case .refused(let refusal, let detail): throw Denial(refusal, detail: detail)
        }
    }
}

extension Denial {
    /// A rule's refusal with the reason code of a decision; the detail holds the rule's own code.
    fileprivate init(_ refusal: CertificateRefusal, detail: String) {
        let reason: DenialReason =
            switch refusal {
            case .wrongTenant: .wrongTenant
            case .wrongName: .wrongName
            case .revoked: .certificateRevoked
            case .revocationNotChecked: .revokedKeysUnusable
            default: .certificate
            }
        let particulars = detail.isEmpty ? refusal.rawValue : "\(refusal.rawValue): \(detail)"
        self.init(reason, text: refusal.text, detail: particulars)
    }
}
