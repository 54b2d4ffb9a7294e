// SPDX-License-Identifier: Apache-2.0

/// The CA's key is, byte for byte, one of those that this machine trusts.
package struct AuthorityKnownRule: CertificateRule {
    private let keys: [PublicKey]

    package init(keys: [PublicKey]) { self.keys = keys }

    package func check(_ certificate: Certificate) -> RuleResult {
        guard keys.contains(certificate.authorityKey) else {
            return .refused(.authorityUnknown, detail: "one of \(keys.count) keys was expected")
        }
        return .satisfied
    }
}
