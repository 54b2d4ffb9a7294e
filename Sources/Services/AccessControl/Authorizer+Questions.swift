// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

// Asking Azure, and what its answers change.

extension Authorizer {
    func currentPause(_ identity: DirectoryIdentity) -> Pause? {
        guard let pause = pauses[identity] else { return nil }
        guard time.bootTime() < pause.until else {
            pauses[identity] = nil
            return nil
        }
        return pause
    }

    /// The ruling without a question: briefly after a fault, and in the background while Azure does not answer.
    func unasked(
        _ identity: DirectoryIdentity,
        _ demand: DecisionDemand,
        correlation: CorrelationID
    ) -> Ruling? {
        if let pause = currentPause(identity) {
            if let answer = pause.unconfirmed { return ruling(unconfirmed: answer, pause.fault, identity, demand) }
            return fallBack(pause.fault, identity, demand, correlation: pause.correlation)
        }
        guard demand.isBackground, pendingQuestions[identity] == nil else { return nil }
        let last = cached(identity)
        let isDirect = last?.role == .administrator && last?.confirmation == .notNeeded
        return pace.fault(needsConfirmation: !isDirect).map { fault in
            fallBack(fault, identity, demand, correlation: correlation)
        }
    }

    /// The question that is under way for this user, or a new one; nil where there are `limit` already. A background
    /// question is tried once, unless a caller comes to wait for it.
    func pendingQuestion(
        for identity: DirectoryIdentity,
        correlation: CorrelationID,
        limit: Int,
        isBackground: Bool = false
    ) -> PendingQuestion? {
        // A checker that never returns must not block this user's questions forever.
        if let running = pendingQuestions[identity], !isOverdue(running) {
            if !isBackground { running.noteWaiter() }
            return running
        }
        guard pendingQuestions.count < limit else { return nil }
        let pending = PendingQuestion(correlation: correlation, startedAt: time.bootTime())
        if !isBackground { pending.noteWaiter() }
        pendingQuestions[identity] = pending
        starter.start { await self.carryOut(pending, for: identity) }
        return pending
    }

    /// No caller waits for it any more: its checker hangs, or the machine was suspended meanwhile.
    private func isOverdue(_ pending: PendingQuestion) -> Bool {
        pending.startedAt.duration(to: time.bootTime()) >= settings.questionTimeout * 2
    }

    private func carryOut(_ pending: PendingQuestion, for identity: DirectoryIdentity) async {
        let deadline = pending.startedAt.advanced(by: settings.questionTimeout)
        do throws(AccessCheckFault) {
            // Not the machine known before the start: this disk may be a copy of another machine's.
            let machine = try await machines.machine(by: deadline)
            guard machine.tenant == identity.tenant else {
                throw AccessCheckFault(.wrongTenant, detail: "the machine trusts tenant \(machine.tenant)")
            }
            let question = AccessQuestion(
                objectID: identity.objectID,
                machine: machine,
                correlation: pending.correlation,
                deadline: deadline,
                isRetried: { pending.hasWaiter }
            )
            let (answer, heardAt) = try await ask(question, pending, about: identity)
            pace.note(answer, askedAt: pending.startedAt)
            // The role may have been given long ago, and withdrawn since (P2).
            if answer.role != nil, isOverdue(pending) {
                throw AccessCheckFault(.unreachable, detail: "the answer came too late")
            }
            if case .unanswered(let fault) = answer.confirmation {
                finish(pending, unconfirmed: answer, heardAt: heardAt, fault, for: identity, on: machine)
            } else {
                finish(pending, answer: answer, for: identity, on: machine)
            }
        } catch {
            pace.note(error, askedAt: pending.startedAt)
            finish(pending, fault: error, for: identity)
        }
    }

    /// The roles' answer with what Entra says of the account, confirmed where needed; and when the unconfirmed one
    /// came.
    private func ask(
        _ question: AccessQuestion,
        _ pending: PendingQuestion,
        about identity: DirectoryIdentity
    ) async throws(AccessCheckFault) -> (AccessAnswer, heardAt: BootTime) {
        var answer = try await checker.check(question)
        let askedAt = time.bootTime()
        let (account, memberships) = await directory(behind: answer, question)
        let heardAt = time.bootTime()
        if case .success(let state) = account { answer = answer.of(account: state) }
        // Once here, before any caller hears of the role, and once when all is known, so that a role from the
        // confirmation has its groups, too.
        note(memberships, askedAt: askedAt, account, answer, pending, about: identity)
        if case .required = answer.confirmation {
            // Not announced before Entra has said that the account is enabled.
            if case .success = account { announce(answer, pending) }
            answer = await checker.confirm(answer, to: question)
            note(memberships, askedAt: askedAt, account, answer, pending, about: identity)
        }
        if case .failure(let fault) = account, answer.role != nil || !answer.confirmation.isFinal {
            lower(identity, to: answer, pending, on: question.machine)
            throw fault
        }
        return (answer, heardAt)
    }

    /// What Entra says of the account behind an answer; nil where it is not asked, or a refusal by roles is final.
    private func account(
        behind answer: AccessAnswer,
        _ question: AccessQuestion
    ) async -> Result<AccountState?, AccessCheckFault> {
        guard let accountChecker, answer.role != nil || !answer.confirmation.isFinal else { return .success(nil) }
        // The other half is left for the confirmation: a withdrawn role counts even while Graph is silent.
        let half = time.bootTime().duration(to: question.deadline) / 2
        let asked = AccessQuestion(
            objectID: question.objectID,
            machine: question.machine,
            correlation: question.correlation,
            deadline: time.bootTime().advanced(by: half),
            isRetried: question.isRetried
        )
        do throws(AccessCheckFault) { return .success(try await accountChecker.state(asked)) } catch {
            return .failure(error)
        }
    }

    /// Asks Graph both questions at once, since a caller waits.
    private func directory(
        behind answer: AccessAnswer,
        _ question: AccessQuestion
    ) async -> (Result<AccountState?, AccessCheckFault>, Set<ObjectID>?) {
        guard groups != nil, accountChecker != nil else {
            return (await account(behind: answer, question), await memberships(behind: answer, question))
        }
        async let state = self.account(behind: answer, question)
        async let found = self.memberships(behind: answer, question)
        return (await state, await found)
    }

    /// The Entra groups of the user; nil where Graph is not asked or does not answer, which keeps no user out. Also
    /// asked after a refusal that role assignments may still overrule.
    private func memberships(behind answer: AccessAnswer, _ question: AccessQuestion) async -> Set<ObjectID>? {
        guard let groups, answer.role != nil || !answer.confirmation.isFinal else { return nil }
        return await groups.ask(question)
    }

    /// Applies Entra's answer about groups, if there is one. Without the account's state, or without a role, no
    /// membership is given; those that the answer does not name are withdrawn all the same.
    private func note(
        _ memberships: Set<ObjectID>?,
        askedAt: BootTime,
        _ account: Result<AccountState?, AccessCheckFault>,
        _ answer: AccessAnswer,
        _ pending: PendingQuestion,
        about identity: DirectoryIdentity
    ) {
        guard let memberships else { return }
        guard case .success = account, answer.role != nil, pendingQuestions[identity] === pending, !isOverdue(pending)
        else {
            groups?.lower(identity, to: memberships)
            return
        }
        groups?.note(identity, in: memberships, askedAt: askedAt)
    }

    /// While Entra has no answer about the account, nothing is given, but a lost role is withdrawn (P2): an earlier
    /// administrator is a user in the grace.
    private func lower(
        _ identity: DirectoryIdentity,
        to answer: AccessAnswer,
        _ pending: PendingQuestion,
        on machine: Machine
    ) {
        let answer = pending.lowered(answer)
        guard answer.role == .user, answer.confirmation.isFinal, pendingQuestions[identity] === pending else { return }
        let now = time.bootTime()
        cache.lower(DecisionCache.Key(objectID: identity.objectID, machine: machine), to: .user)
        settle(identity, cache.cached(answer, correlation: pending.correlation, at: now))
    }

    private func finish(
        _ pending: PendingQuestion,
        answer: AccessAnswer,
        for identity: DirectoryIdentity,
        on machine: Machine
    ) {
        let now = time.bootTime()
        guard pendingQuestions[identity] === pending else {
            finish(replaced: pending, answer: answer, for: identity)
            return
        }
        pendingQuestions[identity] = nil
        pauses[identity] = nil
        let key = DecisionCache.Key(objectID: identity.objectID, machine: machine)
        let kept = cache.store(pending.lowered(answer), correlation: pending.correlation, for: key, at: now)
        // Before any caller hears of the answer: it ends what an earlier yes gave (P2).
        settle(identity, kept)
        note(kept, pending, identity)
        starts.noteAnswer(about: identity, isAllowed: kept.role != nil)
        pending.finish(.answered(kept))
    }

    private func note(_ answer: CachedAnswer, _ pending: PendingQuestion, _ identity: DirectoryIdentity) {
        let blocked = answer.account.flatMap { $0.isBlocked ? "the account is \($0.rawValue)" : nil }
        let given = blocked ?? answer.role.map { "role \($0.rawValue)" } ?? "no role"
        var record = accessCheckRecord(pending, identity, "Azure (\(answer.checker)) answered: \(given)", .information)
        record.verdict = answer.role == nil ? .deny : .allow
        record.reason = answer.denial?.reason
        record.role = answer.role
        record.detail = Authorizer.detail(of: answer)
        log.record(record)
    }

    /// Handles the answer to a question that another one may have replaced by now.
    private func finish(replaced pending: PendingQuestion, answer: AccessAnswer, for identity: DirectoryIdentity) {
        guard pending.isForgotten else {
            // The question is overdue: it is older than the one that is asked now.
            pending.finish(.failed(AccessCheckFault(.unreachable, detail: "the answer came too late")))
            return
        }
        // The answer is dated by its question, so that anything asked since is newer.
        let asked = pending.startedAt
        let given = cache.cached(pending.lowered(answer), correlation: pending.correlation, at: asked)
        if given.role != .administrator, pendingQuestions[identity] == nil, cached(identity) == nil {
            settle(identity, given)
        }
        note(given, pending, identity)
        pending.finish(.answered(given))
    }

    /// Announces the answer: a user who may sign in already need not wait for the confirmation.
    private func announce(_ answer: AccessAnswer, _ pending: PendingQuestion) {
        guard answer.role != nil else { return }
        let fault = AccessCheckFault(.roleUnconfirmed, detail: "role assignments are being asked")
        let lowered = pending.lowered(answer)
        guard lowered.role != nil else { return }
        let kept = cache.cached(lowered, correlation: pending.correlation, at: time.bootTime())
        pending.announce(.unconfirmed(kept, fault))
    }

    /// An unconfirmed allow counts for a minute; an unconfirmed refusal changes nothing (P2).
    private func finish(
        _ pending: PendingQuestion,
        unconfirmed answer: AccessAnswer,
        heardAt: BootTime,
        _ fault: AccessCheckFault,
        for identity: DirectoryIdentity,
        on machine: Machine
    ) {
        let kept = cache.cached(pending.lowered(answer), correlation: pending.correlation, at: heardAt)
        if pendingQuestions[identity] === pending, kept.role != nil, graceRole(of: identity) != .administrator {
            let key = DecisionCache.Key(objectID: identity.objectID, machine: machine)
            cache.store(pending.lowered(answer), correlation: pending.correlation, for: key, at: kept.answeredAt)
            starts.noteAnswer(about: identity, isAllowed: true)
        }
        close(pending, fault, unconfirmed: kept, for: identity)
        pending.finish(.unconfirmed(kept, fault))
    }

    private func finish(_ pending: PendingQuestion, fault: AccessCheckFault, for identity: DirectoryIdentity) {
        close(pending, fault, unconfirmed: nil, for: identity)
        pending.finish(.failed(fault))
    }

    /// Ends a question without a complete answer: the next one is delayed briefly.
    private func close(
        _ pending: PendingQuestion,
        _ fault: AccessCheckFault,
        unconfirmed: CachedAnswer?,
        for identity: DirectoryIdentity
    ) {
        let isLast = pendingQuestions[identity] === pending
        if isLast { pendingQuestions[identity] = nil }
        // An overdue question says nothing about Azure's present state: the next one is asked at once. A question
        // without retries delays none that has them, unless Azure asked for the delay.
        if isLast, !isOverdue(pending), pending.hasWaiter || fault.retryAfter != nil {
            let length = max(settings.pauseAfterFault, fault.retryAfter ?? .zero)
            if pauses.count >= settings.questionLimit * 4 { pauses.removeAll() }
            pauses[identity] = Pause(
                fault: fault,
                unconfirmed: unconfirmed,
                correlation: pending.correlation,
                until: time.bootTime().advanced(by: min(length, .seconds(300)))
            )
        }
        var record = accessCheckRecord(pending, identity, "Azure gave no answer: \(fault.reason.text)", .warning)
        record.verdict = .deny
        record.reason = fault.reason
        record.detail = fault.detail
        log.record(record)
    }

    /// Which checker answered, and what the confirmation said.
    private static func detail(of answer: CachedAnswer) -> String {
        switch answer.confirmation {
        case .notNeeded, .required, .unanswered: answer.checker
        case .agreed: "\(answer.checker); confirmed by role assignments"
        case .overruled: "\(answer.checker); role assignments give more, and count"
        case .notPermitted(let fault): "\(answer.checker); unconfirmed: \(fault.detail)"
        }
    }

    private func accessCheckRecord(
        _ pending: PendingQuestion,
        _ identity: DirectoryIdentity,
        _ message: String,
        _ priority: DecisionRecord.Priority
    ) -> DecisionRecord {
        var record = DecisionRecord(.accessCheck, priority, message)
        record.objectID = identity.objectID
        record.correlation = pending.correlation
        record.latency = pending.startedAt.duration(to: time.bootTime())
        return record
    }
}

extension AccessAnswer {
    /// The same answer with what Entra says of the account; for a blocked account, a refusal.
    fileprivate func of(account state: AccountState?) -> AccessAnswer {
        guard let state else { return self }
        guard !state.isBlocked else { return AccessAnswer(blocked: state) }
        var answer = self
        answer.account = state
        return answer
    }
}
