// SPDX-License-Identifier: Apache-2.0

package import Identity

/// Which users may go on while Azure cannot be reached: only those whom Azure allowed a short while ago (P1).
package struct OfflinePolicy: Hashable, Sendable {
    /// An earlier allow that stands in.
    package struct StandIn: Hashable, Sendable {
        package let role: Role
        /// When the grace ends; a grant that rests on it ends then, too.
        package let until: BootTime

        package init(role: Role, until: BootTime) {
            self.role = role
            self.until = until
        }
    }

    /// `OfflineGrace`: how old the earlier allow may be. Zero switches the policy off.
    package let grace: Duration

    package init(grace: Duration) { self.grace = max(.zero, grace) }

    /// True for faults that mean "not reached". An identity that may not ask, a resource that is gone or an answer that
    /// makes no sense is not an outage.
    package static func isOutage(_ reason: DenialReason) -> Bool {
        switch reason {
        case .unreachable, .throttled, .metadataClosed, .roleUnconfirmed: true
        default: false
        }
    }

    /// The earlier allow that may stand in for a missing answer; nil for an unknown user, an earlier "no", a fault that
    /// is no outage, or an allow older than the grace.
    package func standIn(for reason: DenialReason, earlier: CachedAnswer?, at now: BootTime) -> StandIn? {
        guard OfflinePolicy.isOutage(reason), grace > .zero else { return nil }
        guard let earlier, let role = earlier.role else { return nil }
        let until = earlier.answeredAt.advanced(by: grace)
        return now < until ? StandIn(role: role, until: until) : nil
    }
}
