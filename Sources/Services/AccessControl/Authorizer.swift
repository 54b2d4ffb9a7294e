// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity

/// Decides whether a person may: from a fresh answer of Azure, from Azure, or not at all (P1, P2).
///
/// One question at a time for each person. A caller waits until its own deadline; the question goes on and its answer
/// is kept. Every fault becomes a refusal, except that an earlier allow may stand in during an outage.
package actor Authorizer {
    private let settings: AccessSettings
    private let policy: OfflinePolicy
    private let machines: any MachineSource
    private let checker: any AccessChecker
    private let grants: AdministratorMembership
    private let ending: SessionEnding
    private let time: any TimeSource
    private let starter: any TaskStarter
    private let log: any RecordLog

    private var cache: DecisionCache
    private var flights: [DirectoryIdentity: Flight] = [:]
    private var pauses: [DirectoryIdentity: Pause] = [:]

    /// After a fault: nobody is asked again before `until`.
    private struct Pause {
        let fault: AccessCheckFault
        let correlation: CorrelationID
        let until: BootTime
    }

    package init(
        settings: AccessSettings,
        machines: any MachineSource,
        checker: any AccessChecker,
        grants: AdministratorMembership,
        ending: SessionEnding,
        time: any TimeSource,
        starter: any TaskStarter,
        log: any RecordLog
    ) {
        self.settings = settings
        self.machines = machines
        self.checker = checker
        self.grants = grants
        self.ending = ending
        self.time = time
        self.starter = starter
        self.log = log
        policy = OfflinePolicy(grace: settings.offlineGrace)
        cache = DecisionCache(limits: settings.cache)
    }

    /// Decides for one person. `correlation` becomes the id of the question, should Azure be asked.
    package func decide(
        _ identity: DirectoryIdentity,
        under demand: DecisionDemand,
        correlation: CorrelationID
    ) async -> Ruling {
        let key = knownKey(for: identity)
        if key == nil, machines.current != nil { return Ruling(.deny(Denial(.wrongTenant)), correlation: correlation) }
        if let key, let ruling = standing(key, maximumAge: demand.maximumAge) { return ruling }
        guard let deadline = demand.deadline else {
            prepare(identity, correlation: correlation)
            return lastRuling(key, maximumAge: demand.maximumAge, correlation: correlation)
        }
        if let pause = currentPause(identity) {
            return bridge(pause.fault, identity, correlation: pause.correlation)
        }
        guard let flight = flight(for: identity, correlation: correlation, limit: settings.questionLimit) else {
            return Ruling(.deny(Denial(.tooManyAttempts)), correlation: correlation)
        }
        // It has let one caller of this sign-in wait in vain: the next need not, where the grace will answer for it.
        if flight.startedAt.duration(to: time.bootTime()) >= settings.stageTimeout {
            let fault = AccessCheckFault(.unreachable, detail: "no answer yet")
            let ruling = bridge(fault, identity, correlation: flight.correlation)
            if case .allow = ruling.decision { return ruling }
        }
        switch await flight.outcome(by: deadline, on: time) {
        case .answered(let answer):
            // A newer answer may have come while this caller was waking up: only the last one counts (P2).
            let last = knownKey(for: identity).flatMap { cache.lastAnswer(for: $0, at: time.bootTime()) }
            let newest = last.map { $0.answeredAt > answer.answeredAt ? $0 : answer } ?? answer
            return Authorizer.ruling(on: newest, source: .azure)
        case .failed(let fault):
            return bridge(fault, identity, correlation: flight.correlation)
        case nil:
            let fault = AccessCheckFault(.unreachable, detail: "no answer within the time for this request")
            return bridge(fault, identity, correlation: flight.correlation)
        }
    }

    /// Begins to ask, unless a fresh answer is there, a question is under way, or too many are.
    package func prepare(_ identity: DirectoryIdentity, correlation: CorrelationID) {
        if let key = knownKey(for: identity) {
            guard standing(key, maximumAge: settings.cache.ceiling) == nil else { return }
        } else if machines.current != nil {
            return
        }
        guard currentPause(identity) == nil else { return }
        _ = flight(for: identity, correlation: correlation, limit: settings.earlyQuestionLimit)
    }

    /// Takes an answer about that machine that was asked for outside of a decision (`entraloginctl check`), as far as it
    /// takes something away: a no is kept; what is less than administrator ends a grant, and a kept yes that said more;
    /// a question that is under way brings no more than it.
    /// Nothing is ever given by it (P2).
    package func takeRefusal(
        _ answer: AccessAnswer,
        of objectID: ObjectID,
        on machine: Machine,
        correlation: CorrelationID
    ) {
        guard answer.role != .administrator else { return }
        let now = time.bootTime()
        let key = DecisionCache.Key(objectID: objectID, machine: machine)
        if answer.role == nil {
            cache.store(answer, correlation: correlation, for: key, at: now)
        } else if cache.lastAnswer(for: key, at: now)?.role == .administrator {
            cache.remove(key)
        }
        let identity = DirectoryIdentity(tenant: machine.tenant, objectID: objectID)
        flights[identity]?.lower(to: answer.role)
        settle(identity, role: answer.role, answeredAt: now, correlation: correlation)
    }

    /// What an earlier yes gave ends with an answer that says less: the membership, and after a final no the sessions.
    private func settle(_ identity: DirectoryIdentity, role: Role?, answeredAt: BootTime, correlation: CorrelationID) {
        grants.settle(identity, role: role, answeredAt: answeredAt, correlation: correlation)
        guard role == nil else { return }
        ending.roleIsGone(identity, correlation: correlation) { [self] in
            await isStillRefused(identity, correlation: correlation)
        }
    }

    /// Asks again. A yes is the only thing that takes the earlier no back; without an answer it stands.
    private func isStillRefused(_ identity: DirectoryIdentity, correlation: CorrelationID) async -> Bool {
        let deadline = time.bootTime().advanced(by: settings.stageTimeout)
        let demand = DecisionDemand(maximumAge: .zero, deadline: deadline)
        _ = await decide(identity, under: demand, correlation: correlation)
        return cached(identity)?.role == nil
    }

    /// Forgets the kept answers. What is under way goes on.
    package func flush() {
        cache.removeAll()
        pauses.removeAll()
    }

    /// The last answer for a person, whatever its age; for `explain`.
    package func cached(_ identity: DirectoryIdentity) -> CachedAnswer? {
        knownKey(for: identity).flatMap { cache.lastAnswer(for: $0, at: time.bootTime()) }
    }

    package var cachedCount: Int { cache.count }

    package var questionsUnderWay: Int { flights.count }
}

// MARK: - From answers to rulings

extension Authorizer {
    /// Nil where the machine is not known, or the person belongs to another tenant than it.
    private func knownKey(for identity: DirectoryIdentity) -> DecisionCache.Key? {
        guard let machine = machines.current, machine.tenant == identity.tenant else { return nil }
        return DecisionCache.Key(objectID: identity.objectID, machine: machine)
    }

    private static func ruling(on answer: CachedAnswer, source: AllowSource) -> Ruling {
        let decision = answer.role.map { AccessDecision.allow($0, source) } ?? .deny(Denial(.roleNotAssigned))
        return Ruling(decision, correlation: answer.correlation, answeredAt: answer.answeredAt)
    }

    /// What needs no question: a fresh allow, or a refusal that still stands.
    private func standing(_ key: DecisionCache.Key, maximumAge: Duration) -> Ruling? {
        switch cache.finding(for: key, youngerThan: maximumAge, at: time.bootTime()) {
        case .fresh(let answer), .refused(let answer): Authorizer.ruling(on: answer, source: .cache)
        case .stale, .unknown: nil
        }
    }

    /// The last decision, for callers that do not wait.
    private func lastRuling(
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

    /// What holds while Azure does not answer: an earlier allow within the grace, else nothing.
    private func bridge(
        _ fault: AccessCheckFault,
        _ identity: DirectoryIdentity,
        correlation: CorrelationID
    ) -> Ruling {
        let now = time.bootTime()
        let earlier = knownKey(for: identity).flatMap { cache.lastAnswer(for: $0, at: now) }
        if let earlier, earlier.role == nil { return Authorizer.ruling(on: earlier, source: .cache) }
        guard let standIn = policy.standIn(for: fault.reason, earlier: earlier, at: now) else {
            return Ruling(.deny(Denial(fault.reason, detail: fault.detail)), correlation: correlation)
        }
        return Ruling(
            .allow(standIn.role, .grace),
            correlation: correlation,
            answeredAt: earlier?.answeredAt,
            graceEnds: standIn.until
        )
    }
}

// MARK: - Asking

extension Authorizer {
    private func currentPause(_ identity: DirectoryIdentity) -> Pause? {
        guard let pause = pauses[identity] else { return nil }
        guard time.bootTime() < pause.until else {
            pauses[identity] = nil
            return nil
        }
        return pause
    }

    /// The question that is under way for this person, or a new one; nil where there are `limit` already.
    private func flight(for identity: DirectoryIdentity, correlation: CorrelationID, limit: Int) -> Flight? {
        let now = time.bootTime()
        // A checker that never returns must not hold a person's place for ever.
        let patience = settings.questionTimeout * 2
        if let running = flights[identity], running.startedAt.duration(to: now) < patience { return running }
        guard flights.count < limit else { return nil }
        let flight = Flight(correlation: correlation, startedAt: now)
        flights[identity] = flight
        starter.start { await self.fly(flight, for: identity) }
        return flight
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
                deadline: deadline
            )
            let answer = try await checker.check(question)
            land(flight, answer: answer, for: identity, on: machine)
        } catch {
            land(flight, fault: error, for: identity)
        }
    }

    private func land(_ flight: Flight, answer: AccessAnswer, for identity: DirectoryIdentity, on machine: Machine) {
        let now = time.bootTime()
        guard flights[identity] === flight else {
            // Replaced as overdue: its answer is older than the question that is asked now.
            flight.land(.failed(AccessCheckFault(.unreachable, detail: "the answer came too late")))
            return
        }
        flights[identity] = nil
        pauses[identity] = nil
        let key = DecisionCache.Key(objectID: identity.objectID, machine: machine)
        let kept = cache.store(flight.lowered(answer), correlation: flight.correlation, for: key, at: now)
        // Before anybody hears of it: what an earlier yes gave ends with this answer (P2).
        settle(identity, role: kept.role, answeredAt: now, correlation: flight.correlation)
        var record = accessCheckRecord(flight, identity, "Azure (\(kept.checker)) answered", .information)
        record.verdict = kept.role == nil ? .deny : .allow
        record.reason = kept.role == nil ? .roleNotAssigned : nil
        record.role = kept.role
        record.detail = kept.checker
        log.record(record)
        flight.land(.answered(kept))
    }

    private func land(_ flight: Flight, fault: AccessCheckFault, for identity: DirectoryIdentity) {
        if flights[identity] === flight {
            flights[identity] = nil
            let length = max(settings.pauseAfterFault, fault.retryAfter ?? .zero)
            if pauses.count >= settings.questionLimit * 4 { pauses.removeAll() }
            pauses[identity] = Pause(
                fault: fault,
                correlation: flight.correlation,
                until: time.bootTime().advanced(by: min(length, .seconds(300)))
            )
        }
        var record = accessCheckRecord(flight, identity, "Azure gave no answer: \(fault.reason.text)", .warning)
        record.verdict = .deny
        record.reason = fault.reason
        record.detail = fault.detail
        log.record(record)
        flight.land(.failed(fault))
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
