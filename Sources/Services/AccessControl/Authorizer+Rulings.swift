// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

// From answers to rulings.

extension Authorizer {
    /// Nil if the machine is unknown or the user belongs to another tenant.
    func knownKey(for identity: DirectoryIdentity) -> DecisionCache.Key? {
        guard let machine = machines.current, machine.tenant == identity.tenant else { return nil }
        return DecisionCache.Key(objectID: identity.objectID, machine: machine)
    }

    static func ruling(on answer: CachedAnswer, source: AllowSource) -> Ruling {
        let missing = answer.denial ?? Denial(.roleNotAssigned)
        return Ruling(
            answer.role.map { .allow($0, source) } ?? .deny(missing),
            correlation: answer.correlation,
            answeredAt: answer.answeredAt,
            confirmation: answer.confirmation
        )
    }

    /// The cached ruling that makes a question unnecessary: a fresh allow, or a refusal that still holds.
    func standing(_ key: DecisionCache.Key, under demand: DecisionDemand) -> Ruling? {
        switch cache.finding(for: key, youngerThan: demand.maximumAge, at: time.bootTime()) {
        // An unconfirmed answer does not rule out the administrator role.
        case .fresh(let answer) where !answer.confirmation.isFinal && demand.role == .administrator: nil
        case .fresh(let answer), .refused(let answer): Authorizer.ruling(on: answer, source: .cache)
        case .stale, .unknown: nil
        }
    }

    /// The last decision, for callers that do not wait.
    func lastRuling(
        _ key: DecisionCache.Key?,
        maximumAge: Duration,
        correlation: CorrelationID
    ) -> Ruling {
        let now = time.bootTime()
        guard let key, let last = cache.lastAnswer(for: key, at: now), last.age(at: now) <= maximumAge else {
            return Ruling(.deny(Denial(.noRecentDecision)), correlation: correlation)
        }
        return Authorizer.ruling(on: last, source: .cache)
    }

    /// If nothing is cached, Azure's answer that still awaits its confirmation: a sign-in may already rest on it, and
    /// its session waits for the user manager that asks here.
    func announced(
        _ identity: DirectoryIdentity,
        _ demand: DecisionDemand,
        insteadOf last: Ruling
    ) -> Ruling? {
        guard case .deny(let denial) = last.decision, denial.reason == .noRecentDecision,
            case .unconfirmed(let answer, let fault) = pendingQuestions[identity]?.announced
        else { return nil }
        return ruling(unconfirmed: answer, fault, identity, demand)
    }

    /// A newer answer may have come while a caller was waking up: only the last one counts (P2).
    func newest(_ answer: CachedAnswer, for identity: DirectoryIdentity) -> CachedAnswer {
        let last = knownKey(for: identity).flatMap { cache.lastAnswer(for: $0, at: time.bootTime()) }
        return last.map { $0.answeredAt > answer.answeredAt ? $0 : answer } ?? answer
    }

    /// The role of an earlier answer that would stand in during an outage.
    func graceRole(of identity: DirectoryIdentity) -> Role? {
        let now = time.bootTime()
        let earlier = knownKey(for: identity).flatMap { cache.lastAnswer(for: $0, at: now) }
        return policy.standIn(for: .roleUnconfirmed, earlier: earlier, at: now)?.role
    }

    /// The ruling while the confirmation is unanswered: an earlier administrator role, as in an outage, otherwise the
    /// role that Azure has allowed. A role that it has not allowed is undecided.
    func ruling(
        unconfirmed answer: CachedAnswer,
        _ fault: AccessCheckFault,
        _ identity: DirectoryIdentity,
        _ demand: DecisionDemand
    ) -> Ruling {
        guard let role = answer.role, role >= demand.role, graceRole(of: identity) != .administrator else {
            return fallBack(fault, identity, demand, correlation: answer.correlation)
        }
        return Authorizer.ruling(on: answer, source: .azure)
    }

    /// The ruling while Azure does not answer: an earlier no, or an earlier allow within the grace; otherwise
    /// undecided.
    func fallBack(
        _ fault: AccessCheckFault,
        _ identity: DirectoryIdentity,
        _ demand: DecisionDemand,
        correlation: CorrelationID
    ) -> Ruling {
        let now = time.bootTime()
        let earlier = knownKey(for: identity).flatMap { cache.lastAnswer(for: $0, at: now) }
        if let earlier, earlier.role == nil { return Authorizer.ruling(on: earlier, source: .cache) }
        // An unconfirmed "user" does not rule out the administrator role: that is undecided, not refused.
        let isOpen = earlier?.role == .user && earlier?.confirmation.isFinal == false && demand.role == .administrator
        guard !isOpen, let standIn = policy.standIn(for: fault.reason, earlier: earlier, at: now) else {
            return Ruling(
                .deny(Denial(unanswered: fault)),
                correlation: correlation,
                confirmation: .unanswered(fault)
            )
        }
        return Ruling(
            .allow(standIn.role, .grace),
            correlation: correlation,
            answeredAt: earlier?.answeredAt,
            graceEnds: standIn.until,
            confirmation: .unanswered(fault)
        )
    }
}
