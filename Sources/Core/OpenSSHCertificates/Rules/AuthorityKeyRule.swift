// SPDX-License-Identifier: Apache-2.0

/// The CA's key is strong enough. The parser has made sure that it is a plain key, not a certificate.
package struct AuthorityKeyRule: CertificateRule {
    package init() {}

    package func check(_ certificate: Certificate) -> RuleResult {
        let key = certificate.authorityKey
        if let weakness = KeyStrength.weakness(of: key) { return .refused(.authorityKeyTooWeak, detail: weakness) }
        if case .rsa(let exponent, _) = key.fields, exponent != KeyStrength.authorityExponent {
            return .refused(.authorityKeyTooWeak, detail: "RSA exponent is not 65537")
        }
        return .satisfied
    }
}
