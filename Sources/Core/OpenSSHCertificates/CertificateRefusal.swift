// SPDX-License-Identifier: Apache-2.0

/// Why a certificate is refused. The raw value is the stable code in records.
package enum CertificateRefusal: String, Error, Hashable, Sendable, CaseIterable {
    // The form.
    case notBase64 = "not-base64"
    case malformed = "malformed"
    case tooLarge = "too-large"
    case keyTypeUnsupported = "key-type-unsupported"
    case keyTypeMismatch = "key-type-mismatch"
    case optionTwice = "option-twice"
    case optionMalformed = "option-malformed"
    // The certificate and its key.
    case notUserCertificate = "not-user-certificate"
    case userKeyTooWeak = "user-key-too-weak"
    // The authority.
    case authorityIsCertificate = "authority-is-certificate"
    case authorityKeyUnsupported = "authority-key-unsupported"
    case authorityKeyTooWeak = "authority-key-too-weak"
    case authorityUnknown = "authority-unknown"
    case signatureAlgorithmRefused = "signature-algorithm-refused"
    case signatureAlgorithmMismatch = "signature-algorithm-mismatch"
    case signatureInvalid = "signature-invalid"
    case signatureNotChecked = "signature-not-checked"
    // The administrator's list.
    case revoked = "revoked"
    case revocationNotChecked = "revocation-not-checked"
    // The time.
    case validityEmpty = "validity-empty"
    case lifetimeTooLong = "lifetime-too-long"
    case notYetValid = "not-yet-valid"
    case expired = "expired"
    // The name.
    case noPrincipals = "no-principals"
    case principalMalformed = "principal-malformed"
    case guestPrincipal = "guest-principal"
    case wrongName = "wrong-name"
    // What it demands and says.
    case criticalOptionUnknown = "critical-option-unknown"
    case objectIDMissing = "object-id-missing"
    case objectIDMalformed = "object-id-malformed"
    case tenantIDMissing = "tenant-id-missing"
    case tenantIDMalformed = "tenant-id-malformed"
    case keyIDMismatch = "key-id-mismatch"
    case wrongTenant = "wrong-tenant"

    /// One plain line for the user; it holds nothing that came from outside.
    package var text: String {
        switch self {
        case .notBase64, .malformed, .tooLarge, .optionTwice, .optionMalformed:
            "The certificate is damaged or not in OpenSSH's form"
        case .keyTypeUnsupported: "Certificates of this key type are not accepted: use RSA, ECDSA or Ed25519"
        case .keyTypeMismatch: "The certificate is not of the key type that was announced"
        case .notUserCertificate: "This is a host certificate: it cannot be used to sign in"
        case .userKeyTooWeak: "The certificate's RSA key must have 2048 to 8192 bits"
        case .authorityIsCertificate: "The certificate was signed by another certificate"
        case .authorityKeyUnsupported, .authorityKeyTooWeak: "The certificate's signing key is not acceptable"
        case .authorityUnknown: "The certificate was not signed by a key that this machine trusts"
        case .signatureAlgorithmRefused: "The certificate's signature algorithm is not acceptable"
        case .signatureAlgorithmMismatch, .signatureInvalid: "The certificate's signature is wrong"
        case .signatureNotChecked: "The certificate's signature could not be checked"
        case .revoked: "The certificate, its key or its signing key was revoked by this machine's administrator"
        case .revocationNotChecked: "It could not be checked whether the certificate was revoked"
        case .validityEmpty: "The certificate ends before it begins"
        case .lifetimeTooLong: "The certificate is valid for longer than this machine accepts"
        case .notYetValid: "The certificate is not valid yet: check the clocks"
        case .expired: "The certificate has expired: sign in with Entra again"
        case .noPrincipals: "The certificate names nobody"
        case .principalMalformed: "The certificate holds a name that cannot be used"
        case .guestPrincipal: "Guests sign in with their own address, not with the #EXT# form of it"
        case .wrongName: "The certificate names another account"
        case .criticalOptionUnknown: "The certificate demands something that this machine does not know"
        case .objectIDMissing, .objectIDMalformed, .tenantIDMissing, .tenantIDMalformed, .keyIDMismatch:
            "This is not a certificate for Azure sign-in: it does not say who it is for as Entra's do"
        case .wrongTenant: "The certificate belongs to another Entra tenant than this machine"
        }
    }
}
