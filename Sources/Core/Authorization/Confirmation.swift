// SPDX-License-Identifier: Apache-2.0

/// What role assignments say of a *checkAccess* answer that denies something. *checkAccess* may count direct
/// assignments only; role assignments expand groups (azure.md, "The role check").
package enum Confirmation: Hashable, Sendable {
    /// Nothing to confirm: all is allowed, a stated reason denies the rest, or role assignments gave the answer.
    case notNeeded
    /// Not confirmed yet; role assignments may raise the answer up to this role.
    case required(upTo: Role)
    /// Role assignments give no more.
    case agreed
    /// Role assignments give more, and that counts.
    case overruled
    /// Role assignments may not be read: the answer is final without them. The fault says what is missing.
    case notPermitted(AccessCheckFault)
    /// Role assignments gave no answer: what is allowed counts, the rest is undecided.
    case unanswered(AccessCheckFault)

    /// False while what was denied is undecided: such an answer ends no grant and no session (P2).
    package var isFinal: Bool {
        switch self {
        case .required, .unanswered: false
        case .notNeeded, .agreed, .overruled, .notPermitted: true
        }
    }

    /// True where an answer without a role means that the role is gone. An unconfirmed answer refuses the sign-in but
    /// leaves running sessions alone: the role may be held through a group.
    package var endsSessions: Bool {
        switch self {
        case .notNeeded, .agreed: true
        case .required, .overruled, .notPermitted, .unanswered: false
        }
    }

    /// The stable word in records and reports.
    package var word: String {
        switch self {
        case .notNeeded: "not-needed"
        case .required: "required"
        case .agreed: "agreed"
        case .overruled: "overruled"
        case .notPermitted: "not-permitted"
        case .unanswered: "unanswered"
        }
    }

    /// Why the answer is final without confirmation; nil for every other answer.
    package var obstacle: AccessCheckFault? {
        guard case .notPermitted(let fault) = self else { return nil }
        return fault
    }
}

extension Denial {
    /// A missing role. If the answer is unconfirmed, the user's text and the record say so, and what is missing.
    package init(missing reason: DenialReason, after confirmation: Confirmation) {
        guard let obstacle = confirmation.obstacle else {
            self.init(reason)
            return
        }
        self.init(
            reason,
            text: "\(reason.text), not counting groups: this machine's identity needs Reader here to see roles held"
                + " through a group",
            detail: "unconfirmed: \(obstacle.detail)"
        )
    }
}
