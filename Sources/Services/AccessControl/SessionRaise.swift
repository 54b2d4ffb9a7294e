// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// Makes users administrators in a session that is already open, if Azure has given them the role since it began: a
/// role that was activated (PIM) or assigned needs no new sign-in. Only a session that the daemon opened counts, by
/// certificate or by code; not a cron job, a lingering service or the leftovers of an ended session.
struct SessionRaise: Sendable {
    private let parts: AccessParts

    init(_ parts: AccessParts) { self.parts = parts }

    /// sudo asks about its own user, who is not a member of the administrators' group; returns true if they are one
    /// now. Azure is asked within the deadline of sudo's question, once a minute at most for each account, and only
    /// about a user with such a session.
    func isRaised(bySudo request: AccountRequest, in accounts: any AccountsView) async -> Bool {
        guard !parts.membership.isWithheld, let name = UserName(request.user),
            case .enrolled(let enrolled) = accounts.standing(of: name),
            enrolled.account.systemUID == request.uid, parts.hasOpenSession(enrolled.account.uid)
        else { return false }
        let id = parts.ports.random.correlationID()
        var subject = subject(enrolled, service: request.service, correlation: id)
        guard let (answeredAt, correlation) = await answer(about: enrolled, subject) else { return false }
        subject.correlation = correlation
        return parts.membership.inTurn { raise(enrolled, answeredAt: answeredAt, subject) }
    }

    /// The subject of the record. `service` is empty if no caller waits for the raise.
    func subject(
        _ enrolled: EnrolledAccount,
        service: String = "",
        correlation: CorrelationID
    ) -> DecisionSubject {
        var subject = DecisionSubject(
            event: .raised,
            user: enrolled.account.name.text,
            service: service,
            startedAt: parts.ports.time.bootTime(),
            correlation: correlation
        )
        subject.identity = enrolled.identity
        return subject
    }

    /// When Azure gave the administrator role, and the question's id: from an answer within the last minute, or from a
    /// new one.
    private func answer(about enrolled: EnrolledAccount, _ subject: DecisionSubject) async -> (BootTime, CorrelationID)?
    {
        let maximumAge = ServicePolicy.elevation.maximumAge
        if let last = await parts.authorizer.cached(enrolled.identity), last.role == .administrator {
            let now = parts.ports.time.bootTime()
            if now < last.freshUntil, last.age(at: now) <= maximumAge { return (last.answeredAt, last.correlation) }
        }
        let uid = enrolled.account.uid
        guard parts.sudoQuestions.begin(uid, at: subject.startedAt) else { return nil }
        defer { parts.sudoQuestions.end(uid) }
        let demand = DecisionDemand(
            maximumAge: maximumAge,
            deadline: subject.startedAt.advanced(by: parts.settings.stageTimeout),
            role: .administrator
        )
        let ruling = await parts.authorizer.decide(enrolled.identity, under: demand, correlation: subject.correlation)
        return SessionRaise.answeredAt(ruling).map { ($0, ruling.correlation) }
    }

    /// When Azure gave the administrator role; nil if it did not, or if only the grace says so: an outage makes no user
    /// an administrator.
    static func answeredAt(_ ruling: Ruling) -> BootTime? {
        guard case .allow(.administrator, let source) = ruling.decision, source != .grace else { return nil }
        return ruling.answeredAt
    }

    /// Grants the membership and records it. Call it inside `inTurn`: the last session may have ended while Azure was
    /// asked. A no that came meanwhile counts (P2).
    func raise(_ enrolled: EnrolledAccount, answeredAt: BootTime, _ subject: DecisionSubject) -> Bool {
        let uid = enrolled.account.uid
        guard !parts.membership.isWithheld, parts.hasOpenSession(uid) else { return false }
        if parts.membership.holds(uid.number) { return true }
        let expiry = parts.ports.time.bootTime().advanced(by: parts.settings.grantLifetime)
        do throws(Denial) {
            guard try parts.membership.grant(enrolled, until: expiry, answeredAt: answeredAt) else { return false }
            let message = "\(enrolled.account.name) is administrator in an open session: Azure has given the role"
            parts.journal.note(.raised, .notice, message, of: subject)
            return true
        } catch {
            parts.journal.note(.fault, .error, "Administrator membership not granted: \(error.detail)", of: subject)
            return false
        }
    }
}
