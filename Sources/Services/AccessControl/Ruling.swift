// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity

/// What a caller of the authorizer demands.
package struct DecisionDemand: Hashable, Sendable {
    /// The answer must not be older.
    package let maximumAge: Duration
    /// When the caller stops waiting; nil for one that does not wait for the network at all.
    package let deadline: BootTime?
    /// The least role that is of use to the caller.
    package let role: Role
    /// The caller goes on as a user at once, while a missing administrator role is still being confirmed.
    package let takesUserAtOnce: Bool
    /// No caller waits for it: while Azure does not answer, it is asked less often (`BackgroundPace`).
    package let isBackground: Bool

    package init(
        maximumAge: Duration,
        deadline: BootTime?,
        role: Role = .user,
        takesUserAtOnce: Bool = false,
        isBackground: Bool = false
    ) {
        self.isBackground = isBackground
        self.maximumAge = maximumAge
        self.deadline = deadline
        self.role = role
        self.takesUserAtOnce = takesUserAtOnce
    }
}

/// A decision, with the answer that it rests on.
package struct Ruling: Hashable, Sendable {
    package let decision: AccessDecision
    /// The id of the question that Azure answered; the caller's own if there is none.
    package let correlation: CorrelationID
    /// When Azure gave the answer; nil if it gave none.
    package let answeredAt: BootTime?
    /// When an allow by grace ends; nil otherwise.
    package let graceEnds: BootTime?
    /// Whether what the answer denies is confirmed. Unless it is final, the answer must end no grant and no session.
    package let confirmation: Confirmation

    package init(
        _ decision: AccessDecision,
        correlation: CorrelationID,
        answeredAt: BootTime? = nil,
        graceEnds: BootTime? = nil,
        confirmation: Confirmation = .notNeeded
    ) {
        self.confirmation = confirmation
        self.decision = decision
        self.correlation = correlation
        self.answeredAt = answeredAt
        self.graceEnds = graceEnds
    }

    /// The same ruling for a caller that needs `role`.
    package func requiring(_ role: Role) -> Ruling {
        var decision = decision.requiring(role)
        if case .deny(let denial) = decision, denial.reason == .administratorRoleNeeded {
            decision = .deny(Denial(missing: denial.reason, after: confirmation))
        }
        return Ruling(
            decision,
            correlation: correlation,
            answeredAt: answeredAt,
            graceEnds: graceEnds,
            confirmation: confirmation
        )
    }
}
