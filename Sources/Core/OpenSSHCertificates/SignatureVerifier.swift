// SPDX-License-Identifier: Apache-2.0

/// The port for cryptography: this module does none itself.
package protocol SignatureVerifier: Sendable {
    /// True only where `key` made `signature` over `message`. A key that cannot be used throws.
    func isValid(
        _ signature: Signature,
        over message: ArraySlice<UInt8>,
        by key: PublicKey
    ) throws(SignatureCheckFailure) -> Bool
}

/// A signature could not be checked. It counts as wrong; the difference is for the record.
package struct SignatureCheckFailure: Error, Hashable, Sendable {
    /// What the library said; holds no bytes of keys.
    package let detail: String

    package init(detail: String) { self.detail = detail }
}
