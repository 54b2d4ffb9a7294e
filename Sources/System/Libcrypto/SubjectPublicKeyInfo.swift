// SPDX-License-Identifier: Apache-2.0

internal import OpenSSHCertificates

/// A public key as RFC 5280, 4.1.2.7 has it: the one form that every libcrypto reads.
enum SubjectPublicKeyInfo {
    /// RFC 3279, 2.3.1: 1.2.840.113549.1.1.1.
    private static let rsaEncryption: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]
    /// RFC 5480, 2.1.1: 1.2.840.10045.2.1.
    private static let ecPublicKey: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
    /// RFC 8410, 3: 1.3.101.112.
    private static let ed25519: [UInt8] = [0x2b, 0x65, 0x70]

    static func encode(_ fields: PublicKey.Fields) -> [UInt8] {
        switch fields {
        case .rsa(let exponent, let modulus):
            let key = DER.sequence(DER.integer(modulus) + DER.integer(exponent))
            return encode(algorithm: DER.objectIdentifier(rsaEncryption) + DER.null, key: key)
        case .ecdsa(let curve, let point):
            let algorithm = DER.objectIdentifier(ecPublicKey) + DER.objectIdentifier(identifier(of: curve))
            return encode(algorithm: algorithm, key: point)
        case .ed25519(let bytes):
            return encode(algorithm: DER.objectIdentifier(ed25519), key: bytes)
        }
    }

    private static func encode(algorithm: [UInt8], key: [UInt8]) -> [UInt8] {
        DER.sequence(DER.sequence(algorithm) + DER.bitString(key))
    }

    /// RFC 5480, 2.1.1.1: a named curve, so that no explicit parameters of a curve come in.
    private static func identifier(of curve: EllipticCurve) -> [UInt8] {
        switch curve {
        case .p256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]
        case .p384: [0x2b, 0x81, 0x04, 0x00, 0x22]
        case .p521: [0x2b, 0x81, 0x04, 0x00, 0x23]
        }
    }
}
