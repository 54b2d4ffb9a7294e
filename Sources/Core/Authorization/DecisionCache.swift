// SPDX-License-Identifier: Apache-2.0

package import Identity

/// An answer of Azure, as the cache keeps it.
package struct CachedAnswer: Hashable, Sendable {
    /// Nil for a "no".
    package fileprivate(set) var role: Role?
    package let answeredAt: BootTime
    /// Until then it may be used without asking again.
    package let freshUntil: BootTime
    /// Which checker answered.
    package let checker: String
    /// The id under which Azure was asked.
    package let correlation: CorrelationID
    /// Whether what it denies is confirmed.
    package let confirmation: Confirmation
    /// What Entra said of the account itself; nil where it was not asked.
    package var account: AccountState?

    /// How long ago Azure answered; never negative.
    package func age(at now: BootTime) -> Duration { max(.zero, answeredAt.duration(to: now)) }

    /// The refusal, for an answer without a role; nil for one with a role.
    package var denial: Denial? {
        guard role == nil else { return nil }
        if let account, account.isBlocked { return Denial(blocked: account) }
        return Denial(missing: .roleNotAssigned, after: confirmation)
    }
}

/// Azure's answers about users of this machine. Pure; limited in number and in age.
///
/// An answer lives for the smaller of its `timeToLiveInMs` and the ceiling, a "no" for at most a minute (azure.md,
/// "The role check"). One answer for each key: a newer one replaces the older, so a "no" ends an earlier "yes" (P2).
package struct DecisionCache: Sendable {
    /// An answer holds for one object id on one resource of one tenant (P1).
    package struct Key: Hashable, Sendable {
        package let objectID: ObjectID
        package let resource: ResourceID
        package let tenant: TenantID

        package init(objectID: ObjectID, machine: Machine) {
            self.objectID = objectID
            resource = machine.resource
            tenant = machine.tenant
        }
    }

    package struct Limits: Hashable, Sendable {
        /// azure.md, "The role check": a "no" is kept for at most 60 seconds.
        package static let longestRefusal = Duration.seconds(60)

        /// No "yes" counts as fresh for longer.
        package let ceiling: Duration
        /// No "no" counts as fresh for longer.
        package let refusalCeiling: Duration
        /// Older answers are forgotten: nothing may use them.
        package let retention: Duration
        /// Answers kept at most.
        package let capacity: Int

        package init(
            ceiling: Duration = .seconds(300),
            refusalCeiling: Duration = Limits.longestRefusal,
            retention: Duration = .seconds(86_400),
            capacity: Int = 4096
        ) {
            self.ceiling = max(.zero, ceiling)
            self.refusalCeiling = min(max(.zero, refusalCeiling), Limits.longestRefusal)
            self.retention = max(.zero, retention)
            self.capacity = max(1, capacity)
        }
    }

    /// What the cache knows for one question.
    package enum Finding: Hashable, Sendable {
        /// A "yes" that may be used without asking.
        case fresh(CachedAnswer)
        /// A "no" that still stands: final, without asking.
        case refused(CachedAnswer)
        /// The last answer, "yes" or "no", too old to be used by itself.
        case stale(CachedAnswer)
        case unknown
    }

    package let limits: Limits
    private var answers: [Key: CachedAnswer] = [:]

    package init(limits: Limits = Limits()) { self.limits = limits }

    package var count: Int { answers.count }

    /// Finds the answer for `key`; a "yes" is fresh only if it is not older than `maximumAge`.
    package func finding(for key: Key, youngerThan maximumAge: Duration, at now: BootTime) -> Finding {
        guard let answer = answers[key], answer.age(at: now) <= limits.retention else { return .unknown }
        guard now < answer.freshUntil else { return .stale(answer) }
        guard answer.role != nil else { return .refused(answer) }
        return answer.age(at: now) <= maximumAge ? .fresh(answer) : .stale(answer)
    }

    /// The last answer within the retention, whatever its age.
    package func lastAnswer(for key: Key, at now: BootTime) -> CachedAnswer? {
        guard let answer = answers[key], answer.age(at: now) <= limits.retention else { return nil }
        return answer
    }

    /// Keeps an answer in place of any earlier one for the key, and gives it as it is kept.
    @discardableResult
    package mutating func store(
        _ answer: AccessAnswer,
        correlation: CorrelationID,
        for key: Key,
        at now: BootTime
    ) -> CachedAnswer {
        let kept = cached(answer, correlation: correlation, at: now)
        if answers[key] == nil { makeRoom(at: now) }
        answers[key] = kept
        return kept
    }

    /// The answer as it would be kept. An unconfirmed answer stays fresh no longer than a "no".
    package func cached(_ answer: AccessAnswer, correlation: CorrelationID, at now: BootTime) -> CachedAnswer {
        let isShort = answer.role == nil || !answer.confirmation.isFinal
        let ceiling = isShort ? limits.refusalCeiling : limits.ceiling
        let lifetime = max(.zero, min(answer.lifetime ?? ceiling, ceiling))
        return CachedAnswer(
            role: answer.role,
            answeredAt: now,
            freshUntil: now.advanced(by: lifetime),
            checker: answer.checker,
            correlation: correlation,
            confirmation: answer.confirmation,
            account: answer.account
        )
    }

    /// Lowers the kept role for the key to `role`, if it is higher. The answer's age does not change.
    package mutating func lower(_ key: Key, to role: Role) {
        guard let kept = answers[key]?.role, kept > role else { return }
        answers[key]?.role = role
    }

    /// Forgets the answer for one question: it has to be asked again.
    package mutating func remove(_ key: Key) { answers[key] = nil }

    package mutating func removeAll() { answers.removeAll() }

    /// Forgets the answers that are past the retention.
    package mutating func prune(at now: BootTime) {
        answers = answers.filter { $0.value.age(at: now) <= limits.retention }
    }

    private mutating func makeRoom(at now: BootTime) {
        guard answers.count >= limits.capacity else { return }
        prune(at: now)
        guard answers.count >= limits.capacity else { return }
        // Forgetting is always safe: what is not here has to be asked again.
        guard let oldest = answers.min(by: { $0.value.answeredAt < $1.value.answeredAt }) else { return }
        answers[oldest.key] = nil
    }
}
