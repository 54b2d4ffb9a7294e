// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// Asks Azure again, one user after the other, about all users whose services must not wait.
package struct BatchRefresh: Sendable {
    /// Well below the 24 hours for which a decision counts there, so that these services survive a long outage.
    static let interval = Duration.seconds(3600)
    /// Used while Azure has not answered about every user; doubled each time. At boot the daemon often starts before
    /// the network, and until Azure has answered once, cron jobs are refused.
    static let retryInterval = Duration.seconds(60)
    /// While a user manager waits for a yes, Azure is asked at least this often.
    static let longestWait = Duration.seconds(600)
    /// After this many users in a row without an answer, Azure counts as unreachable.
    static let outageLimit = 3

    private let parts: AccessParts

    init(_ parts: AccessParts) { self.parts = parts }

    /// Runs until the task is cancelled. Answers are not kept over a restart, so Azure is asked about the recent users
    /// at once, before their jobs come.
    package func start() {
        let parts = parts
        parts.ports.starter.start {
            for identity in recentPeople() { parts.batch.note(identity) }
            var retry = BatchRefresh.retryInterval
            while !Task.isCancelled {
                let isComplete = await refresh()
                let pause = parts.jittered(isComplete ? interval : retry)
                let longest = parts.starts.isSomebodyRefused ? BatchRefresh.longestWait : interval
                retry = isComplete ? BatchRefresh.retryInterval : min(retry * 2, longest)
                await parts.ports.time.sleep(until: parts.ports.time.bootTime().advanced(by: pause))
            }
        }
    }

    /// With Entra groups, short enough that no membership expires between two answers.
    var interval: Duration { min(BatchRefresh.interval, parts.groups.map { $0.lifetime / 2 } ?? BatchRefresh.interval) }

    /// Asks about one user after the other, except those with a fresh answer. False where a user has none at the end.
    @discardableResult
    package func refresh() async -> Bool {
        var isComplete = true
        var outages = 0
        for identity in parts.batch.current(within: parts.settings.maximumSignInAge) {
            guard !Task.isCancelled, outages < BatchRefresh.outageLimit else { return false }
            switch await ask(identity) {
            case .allow(_, .grace):
                isComplete = false
                outages += 1
            case .deny(let denial) where denial.reason.isUndecided:
                isComplete = false
                let isOutage = OfflinePolicy.isOutage(denial.reason) || denial.reason == .machineUnknown
                outages = isOutage ? outages + 1 : 0
            case .allow, .deny: outages = 0
            }
        }
        return isComplete
    }

    private func ask(_ identity: DirectoryIdentity) async -> AccessDecision {
        let demand = DecisionDemand(
            maximumAge: parts.settings.cache.ceiling,
            deadline: parts.ports.time.bootTime().advanced(by: parts.settings.questionTimeout)
        )
        let correlation = parts.ports.random.correlationID()
        return await parts.authorizer.decide(identity, under: demand, correlation: correlation).decision
    }

    /// The users whose last sign-in is recent enough to use such services at all, the latest first.
    private func recentPeople() -> [DirectoryIdentity] {
        let oldest = parts.ports.time.wallTime().adding(seconds: -parts.settings.maximumSignInAge.components.seconds)
        let times = parts.ports.accounts.view().allEnrolled().filter { $0.retiredAt == nil }.map { enrolled in
            (enrolled.identity, parts.ports.signIns.lastSignIn(enrolled.identity) ?? enrolled.enrolledAt)
        }
        return times.filter { $0.1 >= oldest }.sorted { $0.1 > $1.1 }.prefix(BatchPeople.limit).map(\.0)
    }
}
