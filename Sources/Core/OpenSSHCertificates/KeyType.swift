// SPDX-License-Identifier: Apache-2.0

/// The key types that may take part in a sign-in, as SSH names them. DSA, security keys and host-bound forms: none.
package enum KeyType: String, Hashable, Sendable, CaseIterable {
    /// RFC 4253, 6.6. The name of the key format, not of its SHA-1 signature, which is never accepted.
    case rsa = "ssh-rsa"
    /// RFC 5656, 3.1.
    case ecdsaP256 = "ecdsa-sha2-nistp256"
    case ecdsaP384 = "ecdsa-sha2-nistp384"
    case ecdsaP521 = "ecdsa-sha2-nistp521"
    /// RFC 8709, 4.
    case ed25519 = "ssh-ed25519"

    /// The suffix that turns a key's type into the type of its certificate (PROTOCOL.certkeys).
    package static let certificateSuffix = "-cert-v01@openssh.com"

    /// The key type in a certificate of such a key, for example `ssh-rsa-cert-v01@openssh.com`.
    package var certificateName: String { rawValue + KeyType.certificateSuffix }

    /// Takes `ssh-rsa-cert-v01@openssh.com` and its like; nil for anything else, plain keys too.
    package init?(certificateName: some StringProtocol) {
        guard certificateName.hasSuffix(KeyType.certificateSuffix) else { return nil }
        self.init(rawValue: String(certificateName.dropLast(KeyType.certificateSuffix.count)))
    }

    /// The curve, for the three ECDSA types.
    package var curve: EllipticCurve? {
        switch self {
        case .ecdsaP256: .p256
        case .ecdsaP384: .p384
        case .ecdsaP521: .p521
        case .rsa, .ed25519: nil
        }
    }
}

/// The curves of RFC 5656, 10.1, by their SSH identifiers.
package enum EllipticCurve: String, Hashable, Sendable {
    case p256 = "nistp256"
    case p384 = "nistp384"
    case p521 = "nistp521"

    /// Bytes of one coordinate, and of r and s of a signature (SEC 1, 2.3.5).
    package var fieldSize: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }
}
