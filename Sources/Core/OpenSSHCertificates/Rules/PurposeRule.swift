// SPDX-License-Identifier: Apache-2.0

/// Only user certificates can be used to sign in.
package struct PurposeRule: CertificateRule {
    package init() {}

    package func check(_ certificate: Certificate) -> RuleResult {
        switch certificate.purpose {
        case .user: .satisfied
        case .host: .refused(.notUserCertificate)
        }
    }
}
