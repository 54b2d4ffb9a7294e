// SPDX-License-Identifier: Apache-2.0

internal import CCrypto
package import OpenSSHCertificates
internal import Synchronization

/// Checks signatures with libcrypto. May be used from any thread.
///
/// Making libcrypto's form of a key costs as much as a check with it, so the last few keys are kept. A caller that
/// passes only keys that the machine trusts cannot be made to evict them.
package final class LibcryptoSignatureVerifier: SignatureVerifier {
    /// CA keys that are kept; Entra publishes about six at a time.
    package static let keptKeys = 32

    private struct Entry {
        let blob: [UInt8]
        let key: VerificationKey
    }

    /// Most recently used last.
    private let entries = Mutex<[Entry]>([])

    package init() {}

    package func isValid(
        _ signature: Signature,
        over message: ArraySlice<UInt8>,
        by key: PublicKey
    ) throws(SignatureCheckFailure) -> Bool {
        guard signature.algorithm.keyType == key.type else { return false }
        do throws(LibcryptoError) {
            return try verificationKey(for: key).isValid(
                Self.form(of: signature.value),
                over: message,
                digest: signature.algorithm.digest
            )
        } catch {
            throw SignatureCheckFailure(detail: error.description)
        }
    }

    /// How many keys are kept now.
    package var keyCount: Int { entries.withLock { $0.count } }

    private func verificationKey(for key: PublicKey) throws(LibcryptoError) -> VerificationKey {
        let kept = entries.withLock { entries -> VerificationKey? in
            guard let index = entries.lastIndex(where: { $0.blob == key.blob }) else { return nil }
            let entry = entries.remove(at: index)
            entries.append(entry)
            return entry.key
        }
        if let kept { return kept }
        // Made outside the lock; two threads may make the same one, and one of them is dropped.
        let made = try VerificationKey(key)
        entries.withLock { entries in
            guard !entries.contains(where: { $0.blob == key.blob }) else { return }
            if entries.count == Self.keptKeys { entries.removeFirst() }
            entries.append(Entry(blob: key.blob, key: made))
        }
        return made
    }

    /// The signature as libcrypto wants it: ECDSA's two numbers as DER (RFC 3279, 2.2.3), the others as they are.
    private static func form(of value: Signature.Value) -> [UInt8] {
        switch value {
        case .rsa(let bytes), .ed25519(let bytes): bytes
        case .ecdsa(let r, let s): DER.sequence(DER.integer(r) + DER.integer(s))
        }
    }
}

extension Signature.Algorithm {
    /// The digest (RFC 8332, 3; RFC 5656, 6.2.1).
    fileprivate var digest: ccrypto_digest {
        switch self {
        case .rsaSHA256, .ecdsaP256: CCRYPTO_SHA256
        case .ecdsaP384: CCRYPTO_SHA384
        case .rsaSHA512, .ecdsaP521: CCRYPTO_SHA512
        case .ed25519: CCRYPTO_DIGEST_OWN
        }
    }
}
