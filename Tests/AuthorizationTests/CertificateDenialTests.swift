// SPDX-License-Identifier: Apache-2.0

import Authorization
import OpenSSHCertificates
import Testing

/// The reason code of each certificate rule's refusal.
@Suite struct CertificateDenialTests {
    private static let named: [CertificateRefusal: DenialReason] = [
        .wrongTenant: .wrongTenant, .wrongName: .wrongName, .revoked: .certificateRevoked,
        .revocationNotChecked: .revokedKeysUnusable,
    ]

    @Test(
        "P4: every refusal of a rule is a denial, with its reason, its text and its own code",
        arguments: CertificateRefusal.allCases
    )
    func denial(refusal: CertificateRefusal) throws {
        for (detail, whole) in [("", refusal.rawValue), ("field 3", "\(refusal.rawValue): field 3")] {
            let verdict = CertificateVerdict.refused(refusal, detail: detail)
            let denial = try #require(#expect(throws: Denial.self) { try verdict.get() })
            #expect(denial.reason == Self.named[refusal] ?? .certificate)
            #expect(denial.text == refusal.text && denial.detail == whole)
        }
    }
}
