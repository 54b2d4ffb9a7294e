// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

extension Denial {
    /// A new account cannot have the short name, which another directory has: the next sign-in is by the whole one.
    package init(held short: ShortName, of name: UserName, detail: String) {
        self.init(
            .numberTaken,
            text: "Another directory of this machine has a user called \(short): please sign in again, as \(name)",
            detail: "\(detail); \(name) keeps the whole name"
        )
    }
}

/// The one plain line that a refused user reads: why, what to do, and the id to quote.
package enum DenialText {
    /// Linux-PAM hands on at most `PAM_MAX_MSG_SIZE` (512) bytes of a message, its NUL included (pam_conv(3)).
    package static let longestLine = 511

    /// Composes the line. `role` is the one to ask for; `resource` is named where a role on it would help.
    package static func line(
        for denial: Denial,
        needing role: Role = .user,
        on resource: ResourceID? = nil,
        correlation: CorrelationID
    ) -> String {
        let ending = ". Correlation id \(correlation)"
        let remedy = remedy(for: denial.reason, role: role, resource: resource)
        let text = clean(denial.text) + (remedy.isEmpty ? "" : ": " + remedy)
        return shorten(text, to: longestLine - ending.utf8.count) + ending
    }

    /// What would help, without a full stop; empty where the reason says it all.
    package static func remedy(for reason: DenialReason, role: Role = .user, resource: ResourceID? = nil) -> String {
        switch reason {
        case .roleNotAssigned, .administratorRoleNeeded:
            let needed = reason == .administratorRoleNeeded ? Role.administrator : role
            return "ask for \"\(needed.builtInName)\" on this machine" + (resource.map { " (\($0))" } ?? "")
                + "; if it was given just now, try again in a minute"
        case .identityMayNotAsk:
            let place = resource.map { " (\($0))" } ?? ""
            return "give it Reader on this machine\(place); entraloginctl doctor has the command"
        case .certificate, .certificateNotVerified, .certificateNotUsed:
            return "sign in with az ssh vm, or with a new certificate of az ssh cert"
        case .wrongTenant: return "sign in to Azure with an account of this machine's tenant"
        case .wrongName: return "use your own user principal name in lower case"
        case .notEnrolled, .signInTooOld: return "sign in over SSH with an Entra certificate"
        case .accountDisabled: return "an administrator of your Entra tenant can enable it"
        case .enrolmentFailed, .storeUnreadable, .idsExhausted, .noManagedIdentity, .directoryRefused,
            .applicationMissing,
            .metadataClosed, .machineUnknown, .resourceNotFound, .malformedAnswer,
            .noAuthorityKeys, .stackNotVerified, .identityToken, .revokedKeysUnusable, .unsupported:
            return "this machine's administrator finds the remedy with entraloginctl doctor"
        case .objectIDChanged, .homeRefused, .localAccount:
            return "this machine's administrator finds the remedy with entraloginctl explain"
        case .deviceDeclined, .deviceExpired: return "begin again"
        case .unreachable, .throttled, .roleUnconfirmed, .tooManyAttempts: return "try again in a minute"
        case .noRecentDecision: return "Azure is being asked now; it works again once it has answered"
        case .certificateRevoked, .accountLocked: return "ask the machine's administrator why"
        case .notOurName, .domainNotAllowed, .accountRetired, .accountRenamed, .recordChanged,
            .numberTaken:
            return ""
        }
    }

    /// What `explain` says to root where that differs from what the user reads; nil where it does not.
    package static func remedyForRoot(_ reason: DenialReason) -> String? {
        switch reason {
        case .accountLocked: "entraloginctl users unlock NAME lets it sign in again"
        case .notOurName: "write the user principal name, or a service principal's object id"
        case .domainNotAllowed: "name the domain in Domains= where its accounts may sign in, and reload entralogind"
        case .idsExhausted: "give IDRange= more numbers"
        case .localAccount:
            "userdel or groupdel the local one, after a look at its files; or, where it is another person's, name Entra's"
                + " domains in Domains=; entraloginctl doctor says where it stands"
        default: nil
        }
    }

    /// One line of printable text: a control character or line break becomes a question mark.
    package static func clean(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar.isUnprintable || scalar.properties.generalCategory == .unassigned ? "?" : scalar
        }
        return String(String.UnicodeScalarView(scalars))
    }

    /// At most `limit` bytes of UTF-8, cut between characters; a cut line ends in three dots.
    package static func shorten(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var kept = ""
        var room = limit - 3
        for character in text {
            room -= character.utf8.count
            guard room >= 0 else { break }
            kept.append(character)
        }
        return kept + "..."
    }
}
