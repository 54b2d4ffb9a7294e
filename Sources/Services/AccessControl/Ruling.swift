// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity

/// What a caller of the authorizer demands.
package struct DecisionDemand: Hashable, Sendable {
    /// The answer must not be older.
    package let maximumAge: Duration
    /// When the caller stops waiting; nil for one that does not wait for the network at all.
    package let deadline: BootTime?

    package init(maximumAge: Duration, deadline: BootTime?) {
        self.maximumAge = maximumAge
        self.deadline = deadline
    }
}

/// A decision with what it rests on.
package struct Ruling: Hashable, Sendable {
    package let decision: AccessDecision
    /// The id of the question that Azure answered; the caller's own where none was.
    package let correlation: CorrelationID
    /// When Azure said so; nil where it did not.
    package let answeredAt: BootTime?
    /// When an allow by grace ends; nil otherwise.
    package let graceEnds: BootTime?

    package init(
        _ decision: AccessDecision,
        correlation: CorrelationID,
        answeredAt: BootTime? = nil,
        graceEnds: BootTime? = nil
    ) {
        self.decision = decision
        self.correlation = correlation
        self.answeredAt = answeredAt
        self.graceEnds = graceEnds
    }

    /// The same ruling for somebody who needs `role`.
    package func requiring(_ role: Role) -> Ruling {
        Ruling(
            decision.requiring(role),
            correlation: correlation,
            answeredAt: answeredAt,
            graceEnds: graceEnds
        )
    }
}
