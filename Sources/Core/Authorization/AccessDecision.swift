// SPDX-License-Identifier: Apache-2.0

package import Identity

/// The two Azure login roles. Administrator includes user: it needs both data actions (azure.md, "The role check").
package enum Role: String, Sendable, Codable, Comparable {
    case user
    case administrator

    /// The built-in role to ask for, as the portal spells it.
    package var builtInName: String {
        switch self {
        case .user: "Virtual Machine User Login"
        case .administrator: "Virtual Machine Administrator Login"
        }
    }

    package static func < (left: Role, right: Role) -> Bool { left == .user && right == .administrator }
}

/// The id that ties the user's screen, entralogin's record and Azure's log together.
package struct CorrelationID: Hashable, Sendable, CustomStringConvertible {
    package let guid: GUID

    package init(_ guid: GUID) { self.guid = guid }

    package var description: String { guid.text }
}

/// Where an allow came from.
package enum AllowSource: String, Sendable, Codable {
    /// Azure answered this question.
    case azure
    /// An answer of Azure that is still fresh.
    case cache
    /// An earlier allow that stands in while Azure cannot be reached (`OfflineGrace`).
    case grace
}

/// The answer to "may this user do this now?": never an error, never a default.
package enum AccessDecision: Hashable, Sendable {
    case allow(Role, AllowSource)
    case deny(Denial)
}

/// A refusal: its reason, what the user reads, what the record says.
package struct Denial: Hashable, Sendable {
    package let reason: DenialReason
    /// One plain line for the user, without the correlation id; empty where nothing may be shown.
    package let text: String
    /// For the record and `explain`: particulars, quoted and bounded; may name the remedy's exact command.
    package let detail: String

    package init(_ reason: DenialReason, text: String = "", detail: String = "") {
        self.reason = reason
        self.text = text.isEmpty ? reason.text : text
        self.detail = detail
    }

    /// True where the answer could not be obtained, so it is not a "no".
    package var isUndecided: Bool { reason.isUndecided }
}
