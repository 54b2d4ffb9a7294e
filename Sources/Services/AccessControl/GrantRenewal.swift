// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// Asks Azure about every signed-in user: renews grants before they lapse, and makes users administrators once they
/// have the role. A "no" ends a grant at once (the authorizer sees to it); any other outcome lets it lapse.
package struct GrantRenewal: Sendable {
    /// Users that are asked about at the same time.
    private static let width = 8
    /// Longest time between two questions about an administrator; a lowered role is noticed within it.
    private static let longestInterval = Duration.seconds(300)

    private let parts: AccessParts

    init(_ parts: AccessParts) { self.parts = parts }

    /// At least four questions in a grant's lifetime: an outage may swallow two.
    var interval: Duration { min(quarterOfLifetime, GrantRenewal.longestInterval) }

    private var userInterval: Duration { min(quarterOfLifetime, parts.settings.userInterval) }

    private var quarterOfLifetime: Duration { max(parts.settings.grantLifetime / 4, .seconds(15)) }

    /// Runs until the task is cancelled.
    package func start() {
        let parts = parts
        parts.ports.starter.start {
            var usersAt = parts.ports.time.bootTime().advanced(by: parts.jittered(userInterval))
            while !Task.isCancelled {
                let pause = parts.jittered(interval)
                await parts.ports.time.sleep(until: parts.ports.time.bootTime().advanced(by: pause))
                guard !Task.isCancelled else { return }
                parts.sweep()
                let now = parts.ports.time.bootTime()
                let isForUsers = now >= usersAt
                if isForUsers { usersAt = now.advanced(by: parts.jittered(userInterval)) }
                await renew(includingUsers: isForUsers)
            }
        }
    }

    /// One round over the administrators and the users who signed in as one. With `includingUsers`, also over every
    /// user with an open session and, if `EndSessions=yes`, with a login session, because that too rests on the role.
    package func renew(includingUsers: Bool = true) async {
        var candidates = Set(parts.membership.current().keys).union(parts.sessions.administrators())
        if includingUsers { candidates.formUnion(parts.ending.isOn ? signedIn() : parts.sessions.everybody()) }
        await renew(candidates.sorted())
    }

    /// Users with a session that the daemon knows, and users with an older one that only logind knows.
    private func signedIn() -> Set<PosixID> {
        let earlier = parts.ports.accounts.view().allEnrolled().filter { enrolled in
            enrolled.retiredAt == nil && parts.ports.processes.hasLoginSession(uid: enrolled.account.systemUID)
        }
        return parts.sessions.everybody().union(earlier.map(\.account.uid))
    }

    private func renew(_ candidates: [PosixID]) async {
        var rest = parts.pace.isReduced ? turned(candidates)[...] : candidates[...]
        while !rest.isEmpty {
            // While Azure does not answer, ask about one account; if that is answered, the others follow at once.
            let width = parts.pace.isReduced ? 1 : GrantRenewal.width
            await withDiscardingTaskGroup { group in
                for uid in rest.prefix(width) { group.addTask { await renew(uid) } }
            }
            rest = rest.dropFirst(width)
        }
    }

    /// Starts at a random account: Azure's silence may be due to the one that was asked about.
    private func turned(_ candidates: [PosixID]) -> [PosixID] {
        guard !candidates.isEmpty else { return [] }
        let begin = parts.ports.random.bytes(2).reduce(0) { $0 << 8 | Int($1) } % candidates.count
        return Array(candidates[begin...] + candidates[..<begin])
    }

    private func isSignedIn(_ account: Account) -> Bool {
        parts.sessions.hasLive(account.uid) || parts.ports.processes.hasLoginSession(uid: account.systemUID)
    }

    private func renew(_ uid: PosixID) async {
        guard let account = parts.ports.accounts.view().enrolled(uid: uid.number), account.retiredAt == nil else {
            parts.membership.withdraw(uid, because: .accountRetired, correlation: nil)
            return
        }
        if account.lockedAt != nil { parts.membership.withdraw(uid, because: .accountLocked, correlation: nil) }
        // Azure is asked all the same: its no may end the session. No user becomes an administrator meanwhile.
        if parts.membership.isWithheld {
            let cause = "sudo's files would keep it after the role's end; entraloginctl doctor names the line"
            parts.membership.withdraw(uid, because: nil, cause: cause, correlation: nil)
        }
        guard isSignedIn(account.account) else { return }
        let now = parts.ports.time.bootTime()
        let demand = DecisionDemand(
            maximumAge: min(interval / 2, ServicePolicy.elevation.maximumAge),
            deadline: now.advanced(by: parts.settings.stageTimeout),
            role: .administrator,
            isBackground: true
        )
        let correlation = parts.ports.random.correlationID()
        let ruling = await parts.authorizer.decide(account.identity, under: demand, correlation: correlation)
        guard case .allow(.administrator, _) = ruling.decision, account.lockedAt == nil else { return }
        // The last session may have ended while Azure was asked, and the grant with it: it must not come back.
        parts.membership.inTurn {
            if parts.membership.holds(uid.number) { return extend(account, ruling) }
            guard let answeredAt = SessionRaise.answeredAt(ruling) else { return }
            let raise = SessionRaise(parts)
            let subject = raise.subject(account, correlation: ruling.correlation)
            _ = raise.raise(account, answeredAt: answeredAt, subject)
        }
    }

    private func extend(_ account: EnrolledAccount, _ ruling: Ruling) {
        let uid = account.account.uid
        let expiry = parts.grantExpiry(for: ruling)
        // Never shorten a grant that rests on an answer that still counts.
        guard isSignedIn(account.account), let answeredAt = ruling.answeredAt,
            expiry > parts.membership.current()[uid] ?? BootTime(sinceBoot: .zero)
        else { return }
        do throws(Denial) {
            _ = try parts.membership.grant(account, until: expiry, answeredAt: answeredAt)
        } catch {
            var record = DecisionRecord(.fault, .error, "Administrator membership of uid \(uid) not renewed")
            record.detail = error.detail
            record.user = account.account.name.text
            record.objectID = account.identity.objectID
            record.correlation = ruling.correlation
            parts.ports.log.record(record)
        }
    }
}
