// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import CCrypto
package import OpenSSHCertificates

/// FIPS 180-4.
package enum SHA256 {
    package static let size = 32

    /// Looked up once: with EVP_sha256() each digest would look it up anew. Never changed, never freed.
    nonisolated(unsafe) private static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    /// The 32 bytes of the digest.
    package static func digest(of message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: size)
        var length: UInt32 = 0
        let done = EVP_Digest(message, message.count, &digest, &length, algorithm, nil)
        // Fails only where there is no memory or no SHA-256 at all; nothing here can go on without it.
        precondition(done == 1 && length == UInt32(size), "libcrypto has no SHA-256")
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
        var digest = [UInt8](repeating: 0, count: algorithm.size)
        var length: UInt32 = 0
        let kind =
            switch algorithm {
            case .sha1: EVP_sha1()
            case .sha256: EVP_sha256()
            }
        guard EVP_Digest(bytes, bytes.count, &digest, &length, kind, nil) == 1, Int(length) == algorithm.size else {
            return nil
        }
        return digest
    }
}
