// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity

/// Decides whether a user is allowed: by a fresh answer of Azure, by asking Azure, or by refusing (P1, P2).
///
/// There is one question at a time for each user. A caller waits until its own deadline; the question goes on and its
/// answer is kept. Every fault becomes a refusal, except that an earlier allow may stand in during an outage.
package actor Authorizer {
    let settings: AccessSettings
    let policy: OfflinePolicy
    let machines: any MachineSource
    let checker: any AccessChecker
    let accountChecker: (any AccountChecker)?
    let grants: AdministratorMembership
    let groups: GroupMembership?
    let ending: SessionEnding
    let starts: BatchStarts
    let pace: BackgroundPace
    let time: any TimeSource
    let starter: any TaskStarter
    let log: any RecordLog

    var cache: DecisionCache
    var pendingQuestions: [DirectoryIdentity: PendingQuestion] = [:]
    var pauses: [DirectoryIdentity: Pause] = [:]

    /// After a fault, Azure is not asked about this user again before `until`.
    struct Pause {
        let fault: AccessCheckFault
        /// What was allowed before the confirmation failed.
        let unconfirmed: CachedAnswer?
        let correlation: CorrelationID
        let until: BootTime
    }

    init(
        settings: AccessSettings,
        machines: any MachineSource,
        checker: any AccessChecker,
        accountChecker: (any AccountChecker)?,
        grants: AdministratorMembership,
        groups: GroupMembership?,
        ending: SessionEnding,
        starts: BatchStarts,
        pace: BackgroundPace,
        time: any TimeSource,
        starter: any TaskStarter,
        log: any RecordLog
    ) {
        self.settings = settings
        self.machines = machines
        self.checker = checker
        self.accountChecker = accountChecker
        self.grants = grants
        self.groups = groups
        self.ending = ending
        self.starts = starts
        self.pace = pace
        self.time = time
        self.starter = starter
        self.log = log
        policy = OfflinePolicy(grace: settings.offlineGrace)
        cache = DecisionCache(limits: settings.cache)
    }

    /// Decides for one user. `correlation` becomes the id of the question if Azure is asked.
    package func decide(
        _ identity: DirectoryIdentity,
        under demand: DecisionDemand,
        correlation: CorrelationID
    ) async -> Ruling {
        let key = knownKey(for: identity)
        if key == nil, machines.current != nil { return Ruling(.deny(Denial(.wrongTenant)), correlation: correlation) }
        if let key, let ruling = standing(key, under: demand) { return ruling }
        guard let deadline = demand.deadline else {
            prepare(identity, correlation: correlation)
            let last = lastRuling(key, maximumAge: demand.maximumAge, correlation: correlation)
            return announced(identity, demand, insteadOf: last) ?? last
        }
        if let ruling = unasked(identity, demand, correlation: correlation) { return ruling }
        let pending = pendingQuestion(
            for: identity,
            correlation: correlation,
            limit: settings.questionLimit,
            isBackground: demand.isBackground
        )
        guard let pending else {
            return Ruling(.deny(Denial(.tooManyAttempts)), correlation: correlation)
        }
        // The question has let one caller of this sign-in wait in vain: the next need not wait where the grace allows.
        if pending.startedAt.duration(to: time.bootTime()) >= settings.stageTimeout {
            let fault = AccessCheckFault(.unreachable, detail: "no answer yet")
            let ruling = fallBack(fault, identity, demand, correlation: pending.correlation)
            if case .allow = ruling.decision { return ruling }
        }
        // A recent administrator waits for the confirmation: "user" may be only a part of a role held through a group.
        let wasAdministrator = cached(identity)?.role == .administrator
        let takesAnnounced = demand.takesUserAtOnce && demand.role == .user && !wasAdministrator
        switch await pending.outcome(by: deadline, orAnnounced: takesAnnounced, on: time) {
        case .answered(let answer): return Authorizer.ruling(on: newest(answer, for: identity), source: .azure)
        case .unconfirmed(let answer, let fault):
            let newest = newest(answer, for: identity)
            if newest != answer, newest.confirmation.isFinal { return Authorizer.ruling(on: newest, source: .azure) }
            return ruling(unconfirmed: answer, fault, identity, demand)
        case .failed(let fault):
            return fallBack(fault, identity, demand, correlation: pending.correlation)
        case nil:
            if case .unconfirmed(let answer, let fault) = pending.announced {
                return ruling(unconfirmed: answer, fault, identity, demand)
            }
            let fault = AccessCheckFault(.unreachable, detail: "no answer within the time for this request")
            return fallBack(fault, identity, demand, correlation: pending.correlation)
        }
    }

    /// Starts a question, unless there is a fresh answer, one is under way, or too many are.
    package func prepare(_ identity: DirectoryIdentity, correlation: CorrelationID) {
        if let key = knownKey(for: identity) {
            let demand = DecisionDemand(maximumAge: settings.cache.ceiling, deadline: nil)
            guard standing(key, under: demand) == nil else { return }
        } else if machines.current != nil {
            return
        }
        guard currentPause(identity) == nil else { return }
        _ = pendingQuestion(for: identity, correlation: correlation, limit: settings.earlyQuestionLimit)
    }

    /// Applies an answer about that machine that no decision asked for (`entraloginctl check`), but only as far as it
    /// withdraws something: a refusal is kept; a role below administrator ends a grant, and a kept answer that gave
    /// more; a question under way brings no more than this answer. It never gives anything (P2).
    package func takeRefusal(
        _ answer: AccessAnswer,
        of objectID: ObjectID,
        on machine: Machine,
        correlation: CorrelationID
    ) {
        guard answer.role != .administrator, answer.confirmation.isFinal else { return }
        let now = time.bootTime()
        let key = DecisionCache.Key(objectID: objectID, machine: machine)
        if answer.role == nil {
            cache.store(answer, correlation: correlation, for: key, at: now)
        } else if cache.lastAnswer(for: key, at: now)?.role == .administrator {
            cache.remove(key)
        }
        let identity = DirectoryIdentity(tenant: machine.tenant, objectID: objectID)
        if answer.role == nil { starts.noteAnswer(about: identity, isAllowed: false) }
        pendingQuestions[identity]?.lower(to: answer)
        settle(identity, cache.cached(answer, correlation: correlation, at: now))
    }

    /// Ends what an earlier yes gave, where this answer says less: the memberships; and the sessions, where role
    /// assignments have confirmed that the role is gone or nothing had to be confirmed, as with a disabled account.
    func settle(_ identity: DirectoryIdentity, _ answer: CachedAnswer) {
        let correlation = answer.correlation
        grants.settle(
            identity,
            role: answer.role,
            answeredAt: answer.answeredAt,
            because: answer.denial?.reason ?? .administratorRoleNeeded,
            correlation: correlation
        )
        if answer.role == nil { groups?.end(identity, at: answer.answeredAt) }
        guard answer.role == nil, answer.confirmation.endsSessions else { return }
        let cause: EndingCause = answer.account?.isBlocked == true ? .accountDisabled : .roleGone
        ending.isRefused(identity, because: cause, correlation: correlation) { [self] in
            await isStillRefused(identity, correlation: correlation)
        }
    }

    /// Asks again. Only a yes revokes the earlier refusal; without an answer it stands.
    private func isStillRefused(_ identity: DirectoryIdentity, correlation: CorrelationID) async -> Bool {
        let deadline = time.bootTime().advanced(by: settings.stageTimeout)
        let demand = DecisionDemand(maximumAge: .zero, deadline: deadline)
        _ = await decide(identity, under: demand, correlation: correlation)
        return cached(identity)?.role == nil
    }

    /// Forgets the kept answers. Questions under way go on for the callers that wait for them, but not for later ones:
    /// they may have been asked before the role was changed.
    package func flush() {
        cache.removeAll()
        pauses.removeAll()
        for pending in pendingQuestions.values { pending.forget() }
        pendingQuestions.removeAll()
    }

    /// The last answer for a user, whatever its age; for `explain`.
    package func cached(_ identity: DirectoryIdentity) -> CachedAnswer? {
        knownKey(for: identity).flatMap { cache.lastAnswer(for: $0, at: time.bootTime()) }
    }

    package var cachedCount: Int { cache.count }

    package var questionsUnderWay: Int { pendingQuestions.count }
}
