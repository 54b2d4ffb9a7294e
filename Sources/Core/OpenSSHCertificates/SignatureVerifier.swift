// SPDX-License-Identifier: Apache-2.0

/// The port for cryptography: this module does none itself.
package protocol SignatureVerifier: Sendable {
    /// True only if `key` made `signature` over `message`. A key that cannot be used throws.
    func isValid(
        _ signature: Signature,
        over message: ArraySlice<UInt8>,
        by key: PublicKey
    ) throws(SignatureCheckFailure) -> Bool
}

/// A signature could not be checked. It counts as invalid; only the record shows the difference.
package struct SignatureCheckFailure: Error, Hashable, Sendable {
    /// What the library said; contains no bytes of keys.
    package let detail: String

    package init(detail: String) { self.detail = detail }
}
