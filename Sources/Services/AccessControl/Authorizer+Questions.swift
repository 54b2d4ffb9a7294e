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

    /// What holds without a question: for a moment after a fault, and in the background while Azure does not answer.
    func unasked(
        _ identity: DirectoryIdentity,
        _ demand: DecisionDemand,
        correlation: CorrelationID
    ) -> Ruling? {
        if let pause = currentPause(identity) {
            if let answer = pause.unconfirmed { return ruling(unconfirmed: answer, pause.fault, identity, demand) }
            return bridge(pause.fault, identity, demand, correlation: pause.correlation)
        }
        guard demand.isBackground, flights[identity] == nil else { return nil }
        let last = cached(identity)
        let isDirect = last?.role == .administrator && last?.confirmation == .notNeeded
        return pace.fault(needsConfirmation: !isDirect).map { fault in
            bridge(fault, identity, demand, correlation: correlation)
        }
    }

    /// The question that is under way for this person, or a new one; nil where there are `limit` already. In the background
    /// it is asked once, unless somebody comes to wait for it.
    func flight(
        for identity: DirectoryIdentity,
        correlation: CorrelationID,
        limit: Int,
        isBackground: Bool = false
    ) -> Flight? {
        // A checker that never returns must not hold a person's place for ever.
        if let running = flights[identity], !isOverdue(running) {
            if !isBackground { running.noteWaiter() }
            return running
        }
        guard flights.count < limit else { return nil }
        let flight = Flight(correlation: correlation, startedAt: time.bootTime())
        if !isBackground { flight.noteWaiter() }
        flights[identity] = flight
        starter.start { await self.fly(flight, for: identity) }
        return flight
    }

    /// Nobody waits for it any more: its checker hangs, or the machine was suspended meanwhile.
    private func isOverdue(_ flight: Flight) -> Bool {
        flight.startedAt.duration(to: time.bootTime()) >= settings.questionTimeout * 2
    }

    private func fly(_ flight: Flight, for identity: DirectoryIdentity) async {
        let deadline = flight.startedAt.advanced(by: settings.questionTimeout)
        do throws(AccessCheckFault) {
            // Not what was known before the start: this disk may be a copy of another machine's.
            let machine = try await machines.machine(by: deadline)
            guard machine.tenant == identity.tenant else {
                throw AccessCheckFault(.wrongTenant, detail: "the machine trusts tenant \(machine.tenant)")
            }
            let question = AccessQuestion(
                objectID: identity.objectID,
                machine: machine,
                correlation: flight.correlation,
                deadline: deadline,
                isRetried: { flight.hasWaiter }
            )
            var answer = try await checker.check(question)
            let heardAt = time.bootTime()
            if case .required = answer.confirmation {
                announce(answer, flight)
                answer = await checker.confirm(answer, to: question)
            }
            pace.note(answer, askedAt: flight.startedAt)
            // It may have been given long ago, and taken back since (P2).
            if answer.role != nil, isOverdue(flight) {
                throw AccessCheckFault(.unreachable, detail: "the answer came too late")
            }
            if case .unanswered(let fault) = answer.confirmation {
                land(flight, unconfirmed: answer, heardAt: heardAt, fault, for: identity, on: machine)
            } else {
                land(flight, answer: answer, for: identity, on: machine)
            }
        } catch {
            pace.note(error, askedAt: flight.startedAt)
            land(flight, fault: error, for: identity)
        }
    }

    private func land(_ flight: Flight, answer: AccessAnswer, for identity: DirectoryIdentity, on machine: Machine) {
        let now = time.bootTime()
        guard flights[identity] === flight else {
            land(replaced: flight, answer: answer, for: identity)
            return
        }
        flights[identity] = nil
        pauses[identity] = nil
        let key = DecisionCache.Key(objectID: identity.objectID, machine: machine)
        let kept = cache.store(flight.lowered(answer), correlation: flight.correlation, for: key, at: now)
        // Before anybody hears of it: what an earlier yes gave ends with this answer (P2).
        settle(identity, kept.role, kept.confirmation, answeredAt: now, correlation: flight.correlation)
        note(kept, flight, identity)
        starts.noteAnswer(about: identity, isAllowed: kept.role != nil)
        flight.land(.answered(kept))
    }

    private func note(_ answer: CachedAnswer, _ flight: Flight, _ identity: DirectoryIdentity) {
        var record = accessCheckRecord(flight, identity, "Azure (\(answer.checker)) answered", .information)
        record.verdict = answer.role == nil ? .deny : .allow
        record.reason = answer.role == nil ? .roleNotAssigned : nil
        record.role = answer.role
        record.detail = Authorizer.detail(of: answer)
        log.record(record)
    }

    /// An answer to a question in whose place another may be asked by now.
    private func land(replaced flight: Flight, answer: AccessAnswer, for identity: DirectoryIdentity) {
        guard flight.isForgotten else {
            // Overdue: it is older than the question that is asked now.
            flight.land(.failed(AccessCheckFault(.unreachable, detail: "the answer came too late")))
            return
        }
        // As old as its question, so that whatever was asked since is newer.
        let asked = flight.startedAt
        let given = cache.cached(flight.lowered(answer), correlation: flight.correlation, at: asked)
        if given.role != .administrator, flights[identity] == nil, cached(identity) == nil {
            settle(identity, given.role, given.confirmation, answeredAt: asked, correlation: flight.correlation)
        }
        note(given, flight, identity)
        flight.land(.answered(given))
    }

    /// Somebody who may sign in as a user need not wait for the confirmation.
    private func announce(_ answer: AccessAnswer, _ flight: Flight) {
        guard answer.role != nil else { return }
        let fault = AccessCheckFault(.roleUnconfirmed, detail: "role assignments are being asked")
        let lowered = flight.lowered(answer)
        guard lowered.role != nil else { return }
        let kept = cache.cached(lowered, correlation: flight.correlation, at: time.bootTime())
        flight.announce(.unconfirmed(kept, fault))
    }

    /// What was allowed counts for a minute; what was not changes nothing (P2).
    private func land(
        _ flight: Flight,
        unconfirmed answer: AccessAnswer,
        heardAt: BootTime,
        _ fault: AccessCheckFault,
        for identity: DirectoryIdentity,
        on machine: Machine
    ) {
        let kept = cache.cached(flight.lowered(answer), correlation: flight.correlation, at: heardAt)
        if flights[identity] === flight, kept.role != nil, graceRole(of: identity) != .administrator {
            let key = DecisionCache.Key(objectID: identity.objectID, machine: machine)
            cache.store(flight.lowered(answer), correlation: flight.correlation, for: key, at: kept.answeredAt)
            starts.noteAnswer(about: identity, isAllowed: true)
        }
        close(flight, fault, unconfirmed: kept, for: identity)
        flight.land(.unconfirmed(kept, fault))
    }

    private func land(_ flight: Flight, fault: AccessCheckFault, for identity: DirectoryIdentity) {
        close(flight, fault, unconfirmed: nil, for: identity)
        flight.land(.failed(fault))
    }

    /// Ends a question without a whole answer: the next one waits a moment.
    private func close(
        _ flight: Flight,
        _ fault: AccessCheckFault,
        unconfirmed: CachedAnswer?,
        for identity: DirectoryIdentity
    ) {
        let isLast = flights[identity] === flight
        if isLast { flights[identity] = nil }
        // An overdue question says nothing of Azure as it is now: the next one is asked at once. One without retries keeps
        // nobody from asking with them, unless Azure wants it so.
        if isLast, !isOverdue(flight), flight.hasWaiter || fault.retryAfter != nil {
            let length = max(settings.pauseAfterFault, fault.retryAfter ?? .zero)
            if pauses.count >= settings.questionLimit * 4 { pauses.removeAll() }
            pauses[identity] = Pause(
                fault: fault,
                unconfirmed: unconfirmed,
                correlation: flight.correlation,
                until: time.bootTime().advanced(by: min(length, .seconds(300)))
            )
        }
        var record = accessCheckRecord(flight, identity, "Azure gave no answer: \(fault.reason.text)", .warning)
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
        _ flight: Flight,
        _ identity: DirectoryIdentity,
        _ message: String,
        _ priority: DecisionRecord.Priority
    ) -> DecisionRecord {
        var record = DecisionRecord(.accessCheck, priority, message)
        record.objectID = identity.objectID
        record.correlation = flight.correlation
        record.latency = flight.startedAt.duration(to: time.bootTime())
        return record
    }
}
