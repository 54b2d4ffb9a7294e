// SPDX-License-Identifier: Apache-2.0

internal import CCrypto
internal import OpenSSHCertificates

/// A public key in libcrypto's form. Never changed after it is made, so threads may share it (openssl-threads(7)).
final class VerificationKey: @unchecked Sendable {
    private let handle: OwnedHandle

    init(_ key: PublicKey) throws(LibcryptoError) {
        LibcryptoError.clearQueue()
        switch key.fields {
        case .rsa(let exponent, let modulus):
            handle = try VerificationKey.makeRSA(exponent: exponent, modulus: modulus)
        case .ecdsa(let curve, let point):
            handle = try VerificationKey.makeECDSA(curve: curve, point: point)
        case .ed25519(let bytes):
            handle = try OwnedHandle(
                taking: EVP_PKEY_new_raw_public_key_ex(nil, "ED25519", nil, bytes, bytes.count),
                from: "EVP_PKEY_new_raw_public_key_ex",
                free: EVP_PKEY_free
            )
        }
    }

    /// EVP_DigestVerify(3): true for 1, false for a signature that is wrong. `digest` is nil for Ed25519.
    func isValid(
        _ signature: [UInt8],
        over message: ArraySlice<UInt8>,
        digest: String?
    ) throws(LibcryptoError) -> Bool {
        LibcryptoError.clearQueue()
        let context = try OwnedHandle(taking: EVP_MD_CTX_new(), from: "EVP_MD_CTX_new", free: EVP_MD_CTX_free)
        return try context.lend { context throws(LibcryptoError) in
            let begun = handle.lend { EVP_DigestVerifyInit_ex(context, nil, digest, nil, nil, $0, nil) }
            guard begun == 1 else { throw LibcryptoError(in: "EVP_DigestVerifyInit_ex") }
            let answer = message.withUnsafeBufferPointer { message in
                EVP_DigestVerify(context, signature, signature.count, message.baseAddress, message.count)
            }
            // 0 is a wrong signature; below 0 there was no answer, which is never a yes.
            guard answer >= 0 else { throw LibcryptoError(in: "EVP_DigestVerify") }
            LibcryptoError.clearQueue()
            return answer == 1
        }
    }

    private static func makeRSA(exponent: [UInt8], modulus: [UInt8]) throws(LibcryptoError) -> OwnedHandle {
        let n = try makeNumber(modulus)
        let e = try makeNumber(exponent)
        // The builder remembers only where the content is; OSSL_PARAM_BLD_to_param copies it.
        let parameters = try makeBuilder().lend { builder in
            n.lend { n in
                e.lend { e -> UnsafeMutablePointer<OSSL_PARAM>? in
                    entralogin_push_rsa_key(builder, n, e) == 1 ? OSSL_PARAM_BLD_to_param(builder) : nil
                }
            }
        }
        return try makeKey("RSA", of: parameters)
    }

    /// libcrypto refuses a point that is not on the curve.
    private static func makeECDSA(curve: EllipticCurve, point: [UInt8]) throws(LibcryptoError) -> OwnedHandle {
        let group =
            switch curve {
            case .p256: "P-256"
            case .p384: "P-384"
            case .p521: "P-521"
            }
        let parameters = try makeBuilder().lend { builder in
            group.withCString { group in
                point.withUnsafeBufferPointer { point -> UnsafeMutablePointer<OSSL_PARAM>? in
                    entralogin_push_ec_key(builder, group, point.baseAddress, point.count) == 1
                        ? OSSL_PARAM_BLD_to_param(builder) : nil
                }
            }
        }
        return try makeKey("EC", of: parameters)
    }

    private static func makeNumber(_ bytes: [UInt8]) throws(LibcryptoError) -> OwnedHandle {
        try OwnedHandle(taking: BN_bin2bn(bytes, Int32(bytes.count), nil), from: "BN_bin2bn", free: BN_free)
    }

    private static func makeBuilder() throws(LibcryptoError) -> OwnedHandle {
        try OwnedHandle(taking: OSSL_PARAM_BLD_new(), from: "OSSL_PARAM_BLD_new", free: OSSL_PARAM_BLD_free)
    }

    /// Takes ownership of `parameters`; nil means that making them failed.
    private static func makeKey(
        _ type: String,
        of parameters: UnsafeMutablePointer<OSSL_PARAM>?
    ) throws(LibcryptoError) -> OwnedHandle {
        guard let parameters else { throw LibcryptoError(in: "OSSL_PARAM_BLD_to_param") }
        defer { OSSL_PARAM_free(parameters) }
        let context = try OwnedHandle(
            taking: EVP_PKEY_CTX_new_from_name(nil, type, nil),
            from: "EVP_PKEY_CTX_new_from_name",
            free: EVP_PKEY_CTX_free
        )
        return try context.lend { context throws(LibcryptoError) in
            var key: OpaquePointer?
            guard EVP_PKEY_fromdata_init(context) == 1,
                EVP_PKEY_fromdata(context, &key, entralogin_public_key_selection(), parameters) == 1
            else { throw LibcryptoError(in: "EVP_PKEY_fromdata") }
            return try OwnedHandle(taking: key, from: "EVP_PKEY_fromdata", free: EVP_PKEY_free)
        }
    }
}
