// SPDX-License-Identifier: Apache-2.0

/// The certified key is strong enough. Its type is one of `KeyType` by construction.
package struct UserKeyRule: CertificateRule {
    package init() {}

    package func check(_ certificate: Certificate) -> RuleResult {
        guard let weakness = KeyStrength.weakness(of: certificate.publicKey) else { return .satisfied }
        return .refused(.userKeyTooWeak, detail: weakness)
    }
}
