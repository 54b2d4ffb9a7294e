// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// Grants and withdraws the membership of the administrators' group, so that no grant outlives a "no" (P2).
package final class AdministratorMembership: Sendable {
    /// The number of "no" answers that are remembered; the oldest is forgotten first.
    private static let rememberedLimit = 4096

    private let registry: any GrantRegistry
    private let accounts: any AccountRegistry
    private let time: any TimeSource
    private let log: any RecordLog
    private let withheld: @Sendable () -> Bool
    /// Held from a look at the open sessions to the grant or withdrawal that follows from it.
    private let turn = Mutex(())
    /// When Azure last answered that the user is not an administrator.
    private let lastNo = Mutex<[DirectoryIdentity: BootTime]>([:])

    package init(
        registry: any GrantRegistry,
        accounts: any AccountRegistry,
        time: any TimeSource,
        log: any RecordLog,
        isWithheld: @escaping @Sendable () -> Bool = { false }
    ) {
        withheld = isWithheld
        self.registry = registry
        self.accounts = accounts
        self.time = time
        self.log = log
    }

    /// While true, no user becomes an administrator: sudo would let them go on after the role's end (`StackStamp`).
    package var isWithheld: Bool { withheld() }

    /// The grants that have not lapsed.
    package func current() -> [PosixID: BootTime] {
        let now = time.bootTime()
        return registry.current().filter { $0.value > now }
    }

    package func holds(_ uid: UInt32) -> Bool {
        PosixID(user: uid).map { current()[$0] != nil } ?? false
    }

    /// Runs `body` under a lock. Without it, a session that opens while the user's last one closes would lose its
    /// membership, or a membership renewed at that moment would outlive the last session. Not reentrant.
    package func inTurn<Outcome: Sendable>(_ body: () -> Outcome) -> Outcome {
        turn.withLock { _ in body() }
    }

    /// Notes an answer of Azure. Unless it gives the administrator role, every grant of this user ends now, because of
    /// `reason` or, without one, of the reason that `role` implies.
    package func settle(
        _ identity: DirectoryIdentity,
        role: Role?,
        answeredAt: BootTime,
        because reason: DenialReason? = nil,
        correlation: CorrelationID
    ) {
        guard role != .administrator else { return }
        lastNo.withLock { lastNo in
            if lastNo.count >= AdministratorMembership.rememberedLimit, lastNo[identity] == nil {
                if let oldest = lastNo.min(by: { $0.value < $1.value }) { lastNo[oldest.key] = nil }
            }
            lastNo[identity] = answeredAt
        }
        let reason = reason ?? (role == nil ? .roleNotAssigned : .administratorRoleNeeded)
        let granted = registry.current().keys
        guard !granted.isEmpty else { return }
        let accounts = accounts.view()
        for uid in granted where accounts.enrolled(uid: uid.number)?.identity == identity {
            withdraw(uid, because: reason, correlation: correlation)
        }
    }

    /// Grants until `expiry` on the strength of Azure's answer of `answeredAt`. Returns false, and grants nothing, if a
    /// "no" came at that time or later or the account no longer allows it. Throws if the grant could not be published.
    package func grant(
        _ account: EnrolledAccount,
        until expiry: BootTime,
        answeredAt: BootTime
    ) throws(Denial) -> Bool {
        try registry.grant(uid: account.account.uid, until: expiry)
        // Grant first, then check: a "no" that `settle` notes after this look finds the grant and ends it, and so does
        // the code that retires, locks or rebinds the account.
        let isRefused = lastNo.withLock { $0[account.identity] }.map { $0 >= answeredAt } ?? false
        let standing = accounts.view().enrolled(uid: account.account.uid.number)
        let isBarred = standing?.identity != account.identity || standing?.retiredAt != nil || standing?.lockedAt != nil
        guard isRefused || isBarred else { return true }
        registry.withdraw(uid: account.account.uid)
        return false
    }

    /// Ends a grant and records it; does nothing if there is none. `cause` is recorded if there is no `reason`.
    package func withdraw(
        _ uid: PosixID,
        because reason: DenialReason?,
        cause: String = "the last session ended",
        correlation: CorrelationID?
    ) {
        guard registry.current()[uid] != nil else { return }
        registry.withdraw(uid: uid)
        let account = accounts.view().enrolled(uid: uid.number)
        let cause = reason?.text ?? cause
        var record = DecisionRecord(.withdrawn, .notice, "Administrator membership of uid \(uid) withdrawn: \(cause)")
        record.user = account?.account.name.text
        record.objectID = account?.identity.objectID
        record.reason = reason
        record.correlation = correlation
        log.record(record)
    }
}
