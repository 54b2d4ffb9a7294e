// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// Why bytes are not an acceptable public key.
package enum PublicKeyError: Error, Hashable, Sendable {
    /// Truncated, trailing bytes, integers or points that are not in their one form.
    case malformed
    /// The blob is a certificate, which is never accepted in place of a key (CVE-2025-49825).
    case isCertificate
    /// A key type that is not in `KeyType`.
    case unsupportedType
    /// Above `PublicKey.Limit`.
    case tooLarge
}

/// A public key in SSH wire form (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4), with its fields checked.
package struct PublicKey: Hashable, Sendable {
    /// What a key consists of, by type.
    package enum Fields: Hashable, Sendable {
        /// Big-endian magnitudes, without leading zeros.
        case rsa(exponent: [UInt8], modulus: [UInt8])
        /// The point, uncompressed (SEC 1, 2.3.3). Whether it lies on the curve is left to the signature check.
        case ecdsa(EllipticCurve, point: [UInt8])
        /// The 32 bytes of RFC 8032, 5.1.5.
        case ed25519([UInt8])
    }

    package enum Limit {
        /// Bits of a modulus that are parsed at all: OpenSSL's OPENSSL_RSA_MAX_MODULUS_BITS.
        package static let modulusBits = 16_384
        /// Bytes of a public exponent: OpenSSL's OPENSSL_RSA_MAX_PUBEXP_BITS is 64.
        package static let exponentBytes = 8
        /// Bytes of a key blob: the largest modulus and room for the small fields.
        package static let blobBytes = 4_096
        /// Bytes of a key type's name; the longest that is registered has 40.
        package static let typeNameBytes = 64
        /// Bytes of a line with type, base64 and comment.
        package static let lineBytes = 8_192
    }

    /// The whole key blob: `string` key type, then the fields of that type. Keys are equal if their blobs are.
    package let blob: [UInt8]
    package let type: KeyType
    package let fields: Fields

    /// For the parser only, which has checked `fields` and that `blob` encodes them.
    init(blob: [UInt8], type: KeyType, fields: Fields) {
        self.blob = blob
        self.type = type
        self.fields = fields
    }

    /// The input of the fingerprint's SHA-256.
    package var fingerprintInput: [UInt8] { blob }

    /// `ssh-rsa AAAA...`: one line of `TrustedUserCAKeys`, without comment and line end.
    package var line: String { "\(type.rawValue) \(Base64.encode(blob))" }

    /// The length of an RSA modulus in bits; nil for other keys.
    package var modulusBits: Int? {
        guard case .rsa(_, let modulus) = fields, let first = modulus.first else { return nil }
        return modulus.count * 8 - first.leadingZeroBitCount
    }

    package static func == (left: PublicKey, right: PublicKey) -> Bool { left.blob == right.blob }

    package func hash(into hasher: inout Hasher) { hasher.combine(blob) }
}
