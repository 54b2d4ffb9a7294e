// SPDX-License-Identifier: Apache-2.0

/// What Entra says of an account itself, whatever roles it holds (azure.md, "Microsoft Graph").
package enum AccountState: String, Hashable, Sendable, Codable {
    case enabled
    /// Sign-in is blocked.
    case disabled
    /// Deleted, or never there.
    case absent

    /// True where a role counts for nothing.
    package var isBlocked: Bool { self != .enabled }
}

extension AccessCheckFault {
    /// The name of Microsoft Graph as an endpoint, in records and reports.
    package static let graph = "graph"
}

extension Denial {
    /// The account is disabled in Entra, or deleted: a refusal like a missing role.
    package init(blocked state: AccountState) {
        self.init(
            .accountDisabled,
            text: state == .absent ? "Entra has no such account any more" : "",
            detail: "Microsoft Graph says \(state.rawValue)"
        )
    }

    /// No answer could be obtained. Where Microsoft Graph gave none, the user's text says so.
    package init(unanswered fault: AccessCheckFault) {
        let text =
            switch fault.reason {
            case .unreachable where fault.endpoint == AccessCheckFault.graph:
                "Microsoft Graph could not be reached to check your account"
            case .throttled where fault.endpoint == AccessCheckFault.graph:
                "Microsoft Graph asked this machine to wait before it checks your account"
            default: ""
            }
        self.init(fault.reason, text: text, detail: fault.detail)
    }
}
