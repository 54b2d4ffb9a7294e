// SPDX-License-Identifier: Apache-2.0

/// Every reason for a refusal. The raw value is the stable code in records (`ENTRALOGIN_REASON`), on the wire and in
/// `--json`; azure.md, "The role check" demands that they be kept apart.
package enum DenialReason: String, Sendable, Codable, CaseIterable {
    // The certificate.
    case certificate = "certificate"
    case certificateNotUsed = "certificate-not-used"
    case certificateNotVerified = "certificate-not-verified"
    case certificateRevoked = "certificate-revoked"
    case wrongTenant = "wrong-tenant"
    case wrongName = "wrong-name"
    // The sign-in with a code.
    case deviceDeclined = "device-declined"
    case deviceExpired = "device-expired"
    case identityToken = "identity-token"
    // The account.
    case notOurName = "not-our-name"
    case domainNotAllowed = "domain-not-allowed"
    case localAccount = "local-account"
    case objectIDChanged = "object-id-changed"
    case accountLocked = "account-locked"
    case accountRetired = "account-retired"
    case accountRenamed = "account-renamed"
    case recordChanged = "record-changed"
    case homeRefused = "home-refused"
    case notEnrolled = "not-enrolled"
    case enrolmentFailed = "enrolment-failed"
    case idsExhausted = "ids-exhausted"
    case numberTaken = "number-taken"
    // Azure's answer.
    case roleNotAssigned = "role-not-assigned"
    case administratorRoleNeeded = "administrator-role-needed"
    case accountDisabled = "account-disabled"
    case signInTooOld = "sign-in-too-old"
    // It could not be asked.
    case noManagedIdentity = "no-managed-identity"
    case identityMayNotAsk = "identity-may-not-ask"
    case directoryRefused = "directory-refused"
    case applicationMissing = "application-missing"
    case metadataClosed = "metadata-closed"
    case machineUnknown = "machine-unknown"
    case unreachable = "unreachable"
    case throttled = "throttled"
    case roleUnconfirmed = "role-unconfirmed"
    case resourceNotFound = "resource-not-found"
    case malformedAnswer = "malformed-answer"
    case noRecentDecision = "no-recent-decision"
    // This machine.
    case stackNotVerified = "stack-not-verified"
    case noAuthorityKeys = "no-authority-keys"
    case revokedKeysUnusable = "revoked-keys-unusable"
    case tooManyAttempts = "too-many-attempts"
    case storeUnreadable = "store-unreadable"
    case unsupported = "unsupported"

    /// True where Azure, or entralogin, could not decide; false where the answer is no. An earlier allow may stand in
    /// only for the reasons that name an unreachable Azure: see `OfflinePolicy`.
    package var isUndecided: Bool {
        switch self {
        case .noManagedIdentity, .identityMayNotAsk, .directoryRefused, .applicationMissing, .metadataClosed,
            .machineUnknown, .unreachable, .throttled, .roleUnconfirmed, .resourceNotFound, .malformedAnswer,
            .noRecentDecision,
            .storeUnreadable, .enrolmentFailed:
            true
        default: false
        }
    }

    /// The plain line that the user reads where nothing more particular is known.
    package var text: String {
        switch self {
        case .certificate: "The sign-in certificate is not acceptable here"
        case .certificateNotUsed: "This account signs in with an Entra certificate only"
        case .certificateNotVerified: "No Entra certificate was verified for this connection"
        case .certificateRevoked: "This certificate was revoked by the machine's administrator"
        case .wrongTenant: "The certificate belongs to another Entra tenant than this machine"
        case .wrongName: "The certificate names another account"
        case .deviceDeclined: "The sign-in was declined"
        case .deviceExpired: "Nobody used the code in time"
        case .identityToken: "Entra's answer does not prove who signed in"
        case .notOurName: "This name cannot be an Entra account here"
        case .domainNotAllowed: "Accounts of this domain may not sign in here"
        case .localAccount: "A local account of this machine has that name or number"
        case .objectIDChanged: "This name belongs to another Entra object here"
        case .accountLocked: "This account is locked by the machine's administrator"
        case .accountRetired: "This account was retired by the machine's administrator"
        case .accountRenamed: "This account has got your new name: please sign in again"
        case .recordChanged: "The account changed while you were signing in: please try again"
        case .homeRefused: "The home directory's path is taken by something that is not yours"
        case .notEnrolled: "This Entra account has never signed in here over SSH"
        case .enrolmentFailed: "This machine could not record your account; its administrator must look"
        case .idsExhausted: "No account number is left on this machine"
        case .numberTaken: "The number of your account here is another directory's: please sign in again"
        case .roleNotAssigned: "Azure role not assigned"
        case .administratorRoleNeeded: "The Azure administrator login role is no longer assigned to you"
        case .accountDisabled: "Your account is disabled in Entra"
        case .signInTooOld: "Your last sign-in with Entra is too long ago: sign in over SSH again"
        case .noManagedIdentity: "This machine has no managed identity to ask Azure with"
        case .identityMayNotAsk: "This machine's identity may not ask Azure for your role"
        case .directoryRefused: "This machine's identity may not ask Entra whether your account is enabled"
        case .applicationMissing: "The application \"Azure Linux VM Sign-In\" is missing in the tenant"
        case .metadataClosed: "This machine's metadata service does not answer entralogin"
        case .machineUnknown: "This machine does not know yet what it is in Azure"
        case .unreachable: "Azure could not be reached to check your role"
        case .throttled: "Azure asked this machine to wait before it checks your role"
        case .roleUnconfirmed: "Azure has not confirmed yet that you lack the role"
        case .resourceNotFound: "Azure does not know this machine's resource"
        case .malformedAnswer: "Azure's answer could not be understood"
        case .noRecentDecision: "No recent decision of Azure is known for this account"
        case .stackNotVerified: "Entra sign-in is off: this machine's sshd or PAM is not wired as it must be"
        case .noAuthorityKeys: "No Entra signing key is known yet"
        case .revokedKeysUnusable: "Entra sign-in is off: this machine's list of revoked keys cannot be used"
        case .tooManyAttempts: "Too many sign-ins at once"
        case .storeUnreadable: "This machine's account store cannot be read"
        case .unsupported: "This way of signing in is not supported"
        }
    }
}
