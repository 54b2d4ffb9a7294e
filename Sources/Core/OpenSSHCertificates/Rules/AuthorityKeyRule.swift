// SPDX-License-Identifier: Apache-2.0

/// The CA's key is strong enough. That it is a plain key, and no certificate, the parser has made sure of.
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
