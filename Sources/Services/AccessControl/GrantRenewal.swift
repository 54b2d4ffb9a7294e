// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// Renews grants before they lapse, while the person has a session and Azure still says administrator. A "no" ends them
/// at once (the authorizer sees to it); everything else lets them lapse.
package struct GrantRenewal: Sendable {
    /// People that are asked for at the same time.
    private static let width = 8

    private let parts: AccessParts

    init(_ parts: AccessParts) { self.parts = parts }

    /// Four looks in a lifetime: an outage may swallow two, and a lowered role is seen within a quarter of it.
    var interval: Duration { min(max(parts.settings.grantLifetime / 4, .seconds(15)), .seconds(900)) }

    /// Runs until the task is cancelled.
    package func start() {
        let parts = parts
        parts.ports.starter.start {
            while !Task.isCancelled {
                let pause = parts.jittered(interval)
                await parts.ports.time.sleep(until: parts.ports.time.bootTime().advanced(by: pause))
                guard !Task.isCancelled else { return }
                parts.sweep()
                await renew()
            }
        }
    }

    /// One round over every user who is administrator, or signed in as one; with `EndSessions=yes` over every user who is
    /// signed in, for the role is what their session rests on.
    package func renew() async {
        var candidates = Set(parts.membership.current().keys).union(parts.sessions.administrators())
        if parts.ending.isOn { candidates.formUnion(signedIn()) }
        await renew(candidates.sorted())
    }

    /// The sessions since the daemon's start, and those older ones that the login service knows.
    private func signedIn() -> Set<PosixID> {
        let earlier = parts.ports.accounts.allEnrolled().filter { enrolled in
            enrolled.retiredAt == nil && parts.ports.processes.hasLoginSession(uid: enrolled.account.systemUID)
        }
        return parts.sessions.everybody().union(earlier.map(\.account.uid))
    }

    private func renew(_ candidates: [PosixID]) async {
        var rest = candidates[...]
        while !rest.isEmpty {
            await withDiscardingTaskGroup { group in
                for uid in rest.prefix(GrantRenewal.width) { group.addTask { await renew(uid) } }
            }
            rest = rest.dropFirst(GrantRenewal.width)
        }
    }

    private func isSignedIn(_ uid: PosixID) -> Bool {
        if parts.sessions.hasLive(uid) { return true }
        let account = parts.ports.accounts.enrolled(uid: uid.number)?.account
        return parts.ports.processes.hasLoginSession(uid: account?.systemUID ?? uid.number)
    }

    private func renew(_ uid: PosixID) async {
        guard let account = parts.ports.accounts.enrolled(uid: uid.number), account.retiredAt == nil else {
            parts.membership.withdraw(uid, because: .accountRetired, correlation: nil)
            return
        }
        guard !parts.membership.isWithheld else {
            let cause = "sudo's files would keep it after the role's end; entraloginctl doctor names the line"
            parts.membership.withdraw(uid, because: nil, cause: cause, correlation: nil)
            return
        }
        guard isSignedIn(uid) else { return }
        let now = parts.ports.time.bootTime()
        let demand = DecisionDemand(
            maximumAge: min(interval / 2, ServicePolicy.elevation.maximumAge),
            deadline: now.advanced(by: parts.settings.stageTimeout),
            role: .administrator
        )
        let correlation = parts.ports.random.correlationID()
        let ruling = await parts.authorizer.decide(account.identity, under: demand, correlation: correlation)
        guard case .allow(.administrator, _) = ruling.decision, let answeredAt = ruling.answeredAt else { return }
        // The last session may have ended while Azure was asked, and the grant with it: it must not come back.
        parts.membership.inTurn {
            guard isSignedIn(uid) else { return }
            extend(account, until: parts.grantExpiry(for: ruling), answeredAt: answeredAt, ruling.correlation)
        }
    }

    private func extend(
        _ account: EnrolledAccount,
        until expiry: BootTime,
        answeredAt: BootTime,
        _ correlation: CorrelationID
    ) {
        let uid = account.account.uid
        // Never shorter than what was given before on an answer that still counts.
        guard expiry > parts.membership.current()[uid] ?? BootTime(sinceBoot: .zero) else { return }
        do throws(Denial) {
            _ = try parts.membership.grant(account, until: expiry, answeredAt: answeredAt)
        } catch {
            var record = DecisionRecord(.fault, .error, "Administrator membership of uid \(uid) not renewed")
            record.detail = error.detail
            record.user = account.account.name.text
            record.objectID = account.identity.objectID
            record.correlation = correlation
            parts.ports.log.record(record)
        }
    }
}
