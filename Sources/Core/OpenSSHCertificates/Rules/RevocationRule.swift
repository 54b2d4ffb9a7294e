// SPDX-License-Identifier: Apache-2.0

/// Nothing about the certificate is on the administrator's list: not itself, its serial or key id, not the certified
/// key, not the CA's. Agrees with `ssh-keygen -Q`; a plain list also revokes the certificates of a key that it names.
package struct RevocationRule: CertificateRule {
    private let list: KeyRevocationList
    private let digests: any KeyDigests

    package init(list: KeyRevocationList, digests: any KeyDigests) {
        self.list = list
        self.digests = digests
    }

    package func check(_ certificate: Certificate) -> RuleResult {
        guard !list.certificates.contains(certificate.blob) else { return .refused(.revoked, detail: "itself") }
        let authority = certificate.authorityKey
        for scope in [list.certificatesOfAuthority[authority], list.certificatesOfAnyAuthority].compactMap(\.self) {
            if scope.keyIDs.contains(Array(certificate.keyID.utf8)) { return .refused(.revoked, detail: "by key id") }
            if scope.serials.contains(certificate.serial) { return .refused(.revoked, detail: "by serial") }
        }
        let result = check(certificate.publicKey, whose: "the certified key")
        guard result == .satisfied else { return result }
        return check(authority, whose: "the CA key")
    }

    /// The same for a key alone. A key whose digest cannot be computed is refused: the list may name it.
    package func check(_ key: PublicKey, whose: String = "the key") -> RuleResult {
        guard !list.keys.contains(key.blob) else { return .refused(.revoked, detail: whose) }
        for (algorithm, revoked) in list.fingerprints {
            guard let digest = digests.digest(algorithm, of: key.fingerprintInput) else {
                return .refused(.revocationNotChecked, detail: "\(algorithm.rawValue) is not available")
            }
            guard !revoked.contains(digest) else { return .refused(.revoked, detail: "\(whose), by fingerprint") }
        }
        return .satisfied
    }
}
