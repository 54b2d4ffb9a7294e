// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// How many requests there were since the start. Where it has changed, somebody uses this machine.
package final class RequestCount: Sendable {
    private let requests = Atomic<UInt64>(0)

    package init() {}

    package var value: UInt64 { requests.load(ordering: .relaxed) }

    func note() { requests.add(1, ordering: .relaxed) }
}

/// When the daemon does what has to be done now and then: every ten seconds while somebody uses the machine or something
/// has changed, and rarely otherwise, so that an idle machine sleeps.
package struct HousekeepingPace: Sendable {
    package static let busyInterval = Duration.seconds(10)
    package static let idleInterval = Duration.seconds(600)
    /// The machine counts as in use for so long after the start, a request, or a change.
    package static let busyTime = Duration.seconds(120)

    private var requests: UInt64
    private var busyUntil: Duration
    private var nextRound: Duration

    package init(at now: Duration) {
        requests = 0
        busyUntil = now + HousekeepingPace.busyTime
        nextRound = now
    }

    /// To be asked at each beat. True where a round is due now.
    package mutating func isDue(at now: Duration, requests: UInt64, hasNews: Bool) -> Bool {
        if requests != self.requests || hasNews { busyUntil = now + HousekeepingPace.busyTime }
        self.requests = requests
        let isBusy = now < busyUntil
        let isTooFar = isBusy && nextRound - now > HousekeepingPace.busyInterval
        guard hasNews || isTooFar || now >= nextRound else { return false }
        nextRound = now + (isBusy ? HousekeepingPace.busyInterval : HousekeepingPace.idleInterval)
        return true
    }

    /// Until the next beat: `slowest` on an idle machine.
    package func pause(at now: Duration, slowest: Duration) -> Duration {
        now < busyUntil ? min(slowest, HousekeepingPace.busyInterval) : slowest
    }
}
