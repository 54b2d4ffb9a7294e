// SPDX-License-Identifier: Apache-2.0

internal import CCrypto
internal import OpenSSHCertificates

/// A public key in libcrypto's form. Never changed after it is made, so threads may share it (openssl-threads(7)).
final class VerificationKey: @unchecked Sendable {
    private let handle: OwnedHandle

    /// libcrypto refuses a point that is not on its curve.
    init(_ key: PublicKey) throws(LibcryptoError) {
        LibcryptoError.clearQueue()
        let bytes = SubjectPublicKeyInfo.encode(key.fields)
        handle = try OwnedHandle(
            taking: ccrypto_key_read(bytes, bytes.count),
            from: "d2i_PUBKEY",
            free: ccrypto_key_free
        )
    }

    /// EVP_DigestVerify(3): true for 1, false for an invalid signature.
    func isValid(
        _ signature: [UInt8],
        over message: ArraySlice<UInt8>,
        digest: ccrypto_digest
    ) throws(LibcryptoError) -> Bool {
        LibcryptoError.clearQueue()
        let answer = handle.lend { key in
            message.withUnsafeBufferPointer { message in
                let (start, count) = (message.baseAddress, UInt(message.count))
                return ccrypto_verify(key, digest, signature, UInt(signature.count), start, count)
            }
        }
        // 0 is an invalid signature; below 0 the check failed, which never counts as valid.
        guard answer >= 0 else { throw LibcryptoError(in: "EVP_DigestVerify") }
        LibcryptoError.clearQueue()
        return answer == 1
    }
}
