// SPDX-License-Identifier: Apache-2.0

/// A parsed OpenSSH certificate (PROTOCOL.certkeys): well-formed, but not verified. Only `CertificateVerifier` verifies
/// it, by making a `VerifiedCertificate` of it.
package struct Certificate: Hashable, Sendable {
    /// What a certificate is for; SSH2_CERT_TYPE_USER and SSH2_CERT_TYPE_HOST.
    package enum Purpose: UInt32, Hashable, Sendable {
        case user = 1
        case host = 2
    }

    package enum Limit {
        /// Bytes of a whole certificate; in base64 that is the 16,384 that fit a message. Entra's have about 1,600.
        package static let blobBytes = 12_288
        /// Bytes of the nonce; CAs send 16 or 32.
        package static let nonceBytes = 256
        /// Bytes of the key id; Entra's have 73.
        package static let keyIDBytes = 1_024
        /// OpenSSH's SSHKEY_CERT_MAX_PRINCIPALS.
        package static let principals = 256
        /// Bytes of one principal; a user principal name has at most 113.
        package static let principalBytes = 256
        /// Bytes of all principals together.
        package static let principalListBytes = 8_192
        /// Bytes of the field that PROTOCOL.certkeys reserves and tells readers to ignore.
        package static let reservedBytes = 1_024
    }

    /// The whole certificate as it was received.
    package let blob: [UInt8]
    /// The part of `blob` that the CA signed: everything before the signature. It is checked as received, never
    /// re-encoded.
    package let signedRange: Range<Int>
    /// The certified key.
    package let publicKey: PublicKey
    package let nonce: [UInt8]
    package let serial: UInt64
    package let purpose: Purpose
    package let keyID: String
    /// The names it may be used for, in its order. An empty list means "any name" to OpenSSH, and no name here.
    package let principals: [String]
    /// Valid from this second on, counted from 1970.
    package let validAfter: UInt64
    /// The end of its validity, exclusive; `UInt64.max` is "forever".
    package let validBefore: UInt64
    package let criticalOptions: CertificateOptions
    package let extensions: CertificateOptions
    /// The CA's key: never a certificate itself.
    package let authorityKey: PublicKey
    package let signature: Signature

    /// The exact bytes that the CA signed.
    package var signedBytes: ArraySlice<UInt8> { blob[signedRange] }

    /// The certificate's key type, for example `ssh-rsa-cert-v01@openssh.com`.
    package var typeName: String { publicKey.type.certificateName }

    package static func == (left: Certificate, right: Certificate) -> Bool { left.blob == right.blob }

    package func hash(into hasher: inout Hasher) { hasher.combine(blob) }
}
