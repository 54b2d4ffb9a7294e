// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
package import OpenSSHCertificates

/// What a good certificate says about its holder.
package struct EvaluatedCertificate: Hashable, Sendable {
    /// `ssh-rsa-cert-v01@openssh.com` and the like.
    package let keyType: String
    /// The certificate's bytes, exactly as they came.
    package let blob: [UInt8]
    package let identity: DirectoryIdentity
    /// The principal that is the login name, spelled as in the certificate: sshd compares it byte for byte.
    package let principal: String
    package let displayName: String
    package let serial: UInt64
    package let keyID: String

    package init(
        keyType: String,
        blob: [UInt8],
        identity: DirectoryIdentity,
        principal: String,
        displayName: String,
        serial: UInt64,
        keyID: String
    ) {
        self.keyType = keyType
        self.blob = blob
        self.identity = identity
        self.principal = principal
        self.displayName = displayName
        self.serial = serial
        self.keyID = keyID
    }
}

/// The certificate rules: is this certificate good for this name, now?
package protocol CertificateEvaluator: Sendable {
    /// Parses, verifies and applies every rule; no effects, no network. `name` nil takes the certificate's principal.
    func evaluate(
        keyType: String,
        base64: String,
        for name: UserName?,
        at time: UnixTime,
        authorities: [PublicKey],
        revoked: KeyRevocationList,
        tenant: TenantID
    ) -> CertificateFinding
    /// What every rule says, whatever the others do; for people who look, never for a sign-in.
    func examine(
        _ certificate: Certificate,
        for name: UserName?,
        at time: UnixTime,
        authorities: [PublicKey],
        revoked: KeyRevocationList,
        tenant: TenantID
    ) -> [ExaminedRule]
}

extension CertificateEvaluator {
    package func examine(
        _ certificate: Certificate,
        for name: UserName?,
        at time: UnixTime,
        authorities: [PublicKey],
        revoked: KeyRevocationList,
        tenant: TenantID
    ) -> [ExaminedRule] { [] }
}

package enum CertificateFinding: Hashable, Sendable {
    case good(EvaluatedCertificate)
    case refused(Denial)
    /// Signed by a key that we do not know (yet).
    case unknownAuthority(Denial)
}
