// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// Who is in which Entra group, as Entra said last: published as soon as there is an account, ended with a no (P2).
///
/// A membership lasts for `lifetime` after the question was asked. An answer that says less takes away at once; a fault
/// changes nothing, so that what was true runs out with the grace.
final class GroupMembership: Sendable {
    /// People without an account yet, and "no" answers, that are remembered; the oldest is forgotten first.
    private static let rememberedLimit = 4096
    /// A sign-in waits for Graph no longer than this: without its answer the user gets in without these groups.
    private static let longestWait = Duration.seconds(3)

    private struct Answer {
        let groups: Set<ObjectID>
        let askedAt: BootTime
    }

    private struct State {
        /// Until there is an account to publish it for.
        var waiting: [DirectoryIdentity: Answer] = [:]
        /// When each user was last refused: an older answer gives nothing.
        var lastNo: [DirectoryIdentity: BootTime] = [:]
    }

    private let checker: any MembershipChecker
    private let registry: any MembershipRegistry
    private let accounts: any AccountRegistry
    private let time: any TimeSource
    private let log: any RecordLog
    /// How long a membership lasts without another answer.
    let lifetime: Duration
    // Held while the registry publishes, which waits for no disk: what a no ends stays ended.
    private let state = Mutex(State())

    init(_ ports: GroupPorts, _ others: AccessPorts, lifetime: Duration) {
        checker = ports.checker
        registry = ports.registry
        accounts = others.accounts
        time = others.time
        log = others.log
        self.lifetime = lifetime
    }

    /// Asks Entra about the question's person; nil where there is nothing to ask, or no answer, which is recorded.
    func ask(_ question: AccessQuestion) async -> Set<ObjectID>? {
        let groups = registry.groups
        guard !groups.isEmpty else { return nil }
        let now = time.bootTime()
        let asked = AccessQuestion(
            objectID: question.objectID,
            machine: question.machine,
            correlation: question.correlation,
            deadline: min(question.deadline, now.advanced(by: GroupMembership.longestWait)),
            isRetried: question.isRetried
        )
        do throws(AccessCheckFault) {
            return try await checker.memberships(asked, of: groups).intersection(groups)
        } catch {
            var record = DecisionRecord(.fault, .warning, "Entra groups are not known: \(error.reason.rawValue)")
            record.objectID = question.objectID
            record.correlation = question.correlation
            record.reason = error.reason
            record.detail = error.detail
            record.latency = now.duration(to: time.bootTime())
            log.record(record)
            return nil
        }
    }

    /// Takes an answer to what was asked at `askedAt`, and publishes it where the person has an account.
    func note(_ identity: DirectoryIdentity, in groups: Set<ObjectID>, askedAt: BootTime) {
        let isTaken = state.withLock { state in
            guard state.lastNo[identity].map({ $0 < askedAt }) ?? true,
                state.waiting[identity].map({ $0.askedAt <= askedAt }) ?? true
            else { return false }
            if state.waiting.count >= GroupMembership.rememberedLimit, state.waiting[identity] == nil {
                let oldest = state.waiting.min { $0.value.askedAt < $1.value.askedAt }
                if let oldest { state.waiting[oldest.key] = nil }
            }
            state.waiting[identity] = Answer(groups: groups, askedAt: askedAt)
            return true
        }
        if isTaken, let enrolled = accounts.view().enrolled(as: identity) { publish(enrolled) }
    }

    /// Publishes what Entra has said of the person behind an account; nothing where that is published already.
    func publish(_ enrolled: EnrolledAccount) {
        let uid = enrolled.account.uid
        state.withLock { state in
            guard let answer = state.waiting.removeValue(forKey: enrolled.identity) else { return }
            registry.set(uid: uid, in: answer.groups, until: answer.askedAt.advanced(by: lifetime))
            // Publish first, then check: code that retires, locks or rebinds the account later finds the membership.
            let standing = accounts.view().enrolled(uid: uid.number)
            let isBarred = standing?.identity != enrolled.identity || standing?.retiredAt != nil
            if isBarred || standing?.lockedAt != nil { registry.lower(uid: uid, to: []) }
        }
    }

    /// Takes away what an answer does not say any more, and gives nothing: where nobody knows whether the account is
    /// enabled.
    func lower(_ identity: DirectoryIdentity, to groups: Set<ObjectID>) {
        let enrolled = accounts.view().enrolled(as: identity)
        state.withLock { state in
            state.waiting[identity] = nil
            if let enrolled { registry.lower(uid: enrolled.account.uid, to: groups) }
        }
    }

    /// Azure has refused the user, as of `time`: every membership ends.
    func end(_ identity: DirectoryIdentity, at time: BootTime) {
        let enrolled = accounts.view().enrolled(as: identity)
        state.withLock { state in
            if state.lastNo.count >= GroupMembership.rememberedLimit, state.lastNo[identity] == nil {
                if let oldest = state.lastNo.min(by: { $0.value < $1.value }) { state.lastNo[oldest.key] = nil }
            }
            state.lastNo[identity] = time
            state.waiting[identity] = nil
            if let enrolled { registry.lower(uid: enrolled.account.uid, to: []) }
        }
    }

    /// True if an Entra group has that name, so that it can have members.
    func isOne(_ group: String) -> Bool { registry.hasGroup(named: group) }

    /// The Unix group of that name is an Entra group's, and the account is in it by an answer that is not older than
    /// `age`.
    func holds(_ enrolled: EnrolledAccount, _ group: String, notOlderThan age: Duration) -> Bool {
        let end = time.bootTime().advanced(by: max(.zero, lifetime - age))
        return registry.names(of: enrolled.account.uid, until: end).contains(group)
    }
}
