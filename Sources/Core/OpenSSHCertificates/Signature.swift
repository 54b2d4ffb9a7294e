// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// The signature at the end of a certificate: an allowed algorithm, and its value in its only encoding.
package struct Signature: Hashable, Sendable {
    /// The allow list. `ssh-rsa`, which is RSA with SHA-1, is not on it (RFC 8332, 5.1 and RFC 9142 retire it).
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        /// RFC 8332, 3.
        case rsaSHA256 = "rsa-sha2-256"
        case rsaSHA512 = "rsa-sha2-512"
        /// RFC 5656, 3.1: the curve fixes the digest (6.2.1).
        case ecdsaP256 = "ecdsa-sha2-nistp256"
        case ecdsaP384 = "ecdsa-sha2-nistp384"
        case ecdsaP521 = "ecdsa-sha2-nistp521"
        /// RFC 8709, 6.
        case ed25519 = "ssh-ed25519"

        /// The only type of key that makes such signatures.
        package var keyType: KeyType {
            switch self {
            case .rsaSHA256, .rsaSHA512: .rsa
            case .ecdsaP256: .ecdsaP256
            case .ecdsaP384: .ecdsaP384
            case .ecdsaP521: .ecdsaP521
            case .ed25519: .ed25519
            }
        }
    }

    package enum Value: Hashable, Sendable {
        /// RSA: as long as the modulus (RFC 8332, 3).
        case rsa([UInt8])
        /// Big-endian magnitudes without leading zeros, neither longer than the curve's field (RFC 5656, 3.1.2).
        case ecdsa(r: [UInt8], s: [UInt8])
        /// 64 bytes (RFC 8709, 6).
        case ed25519([UInt8])
    }

    package let algorithm: Algorithm
    package let value: Value

    /// Bytes of a signature blob: RSA with the largest modulus that is parsed, and its algorithm's name.
    package static let maximumSize = PublicKey.Limit.modulusBits / 8 + 64

    /// RSASSA-PKCS1-v1_5 with SHA-256 outside of SSH: in a JSON Web Signature (RFC 7518, 3.3). Nil unless `key` is an
    /// RSA key and the value is as long as its modulus.
    package init?(rsaSHA256 bytes: [UInt8], by key: PublicKey) {
        guard case .rsa(_, let modulus) = key.fields, bytes.count == modulus.count else { return nil }
        algorithm = .rsaSHA256
        value = .rsa(bytes)
    }

    /// Reads a signature blob made by `key`, to its end.
    init(reading reader: inout ByteReader, by key: PublicKey) throws(CertificateFormatError) {
        let name: String
        do {
            name = try reader.readText(limit: PublicKey.Limit.typeNameBytes)
        } catch {
            throw CertificateFormatError(coding: error, in: "signature algorithm")
        }
        guard let algorithm = Algorithm(rawValue: name) else {
            throw CertificateFormatError(.signatureAlgorithmRefused, in: "signature algorithm")
        }
        guard algorithm.keyType == key.type else {
            throw CertificateFormatError(.signatureAlgorithmMismatch, in: "signature algorithm")
        }
        do {
            value = try Value(reading: &reader, by: key)
            try reader.finish()
        } catch {
            throw CertificateFormatError(coding: error, in: "signature")
        }
        self.algorithm = algorithm
    }
}

extension Signature.Value {
    fileprivate init(reading reader: inout ByteReader, by key: PublicKey) throws(ByteCodingError) {
        switch key.fields {
        case .rsa(_, let modulus):
            let signature = try reader.readString(limit: modulus.count)
            guard signature.count == modulus.count else { throw .malformed }
            self = .rsa(signature)
        case .ecdsa(let curve, _):
            var pair = try reader.readNested(limit: 2 * (4 + 1 + curve.fieldSize))
            let r = try pair.readPositiveInteger(limit: curve.fieldSize)
            let s = try pair.readPositiveInteger(limit: curve.fieldSize)
            try pair.finish()
            self = .ecdsa(r: r, s: s)
        case .ed25519:
            let signature = try reader.readString(limit: 64)
            guard signature.count == 64 else { throw .malformed }
            self = .ed25519(signature)
        }
    }
}
