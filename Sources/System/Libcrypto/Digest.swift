// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import CCrypto
package import OpenSSHCertificates

/// FIPS 180-4.
package enum SHA256 {
    package static let size = 32

    /// The 32 bytes of the digest.
    package static func digest(of message: [UInt8]) -> [UInt8] {
        guard let digest = libcryptoDigest(CCRYPTO_SHA256, of: message), digest.count == size else {
            // Programs open the library at their start (CryptoLibrary), so only a lack of memory is left.
            preconditionFailure("libcrypto gives no SHA-256")
        }
        return digest
    }

    /// A key's fingerprint as ssh-keygen writes it: `SHA256:` and base64 without padding.
    package static func fingerprint(of key: PublicKey) -> String {
        "SHA256:" + Base64.encode(digest(of: key.fingerprintInput)).prefix { $0 != "=" }
    }
}

/// The digests by which a revocation list names keys.
package struct LibcryptoDigests: KeyDigests {
    package init() {}

    package func digest(_ algorithm: FingerprintAlgorithm, of bytes: [UInt8]) -> [UInt8]? {
        let kind =
            switch algorithm {
            case .sha1: CCRYPTO_SHA1
            case .sha256: CCRYPTO_SHA256
            }
        guard let digest = libcryptoDigest(kind, of: bytes), digest.count == algorithm.size else { return nil }
        return digest
    }
}

private func libcryptoDigest(_ algorithm: ccrypto_digest, of bytes: [UInt8]) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: Int(CCRYPTO_DIGEST_MAX))
    let size = ccrypto_digest_of(algorithm, bytes, UInt(bytes.count), &digest)
    return size < 0 ? nil : Array(digest[..<Int(size)])
}
