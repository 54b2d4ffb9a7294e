// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The number of requests since the start. If it has changed, the machine is in use.
package final class RequestCount: Sendable {
    private let requests = Atomic<UInt64>(0)

    package init() {}

    package var value: UInt64 { requests.load(ordering: .relaxed) }

    func note() { requests.add(1, ordering: .relaxed) }
}

/// When the daemon does its housekeeping: every ten seconds while the machine is in use or something has changed, and
/// rarely otherwise, so that an idle machine sleeps.
package struct HousekeepingPace: Sendable {
    package static let busyInterval = Duration.seconds(10)
    package static let idleInterval = Duration.seconds(600)
    /// The machine counts as in use for this long after the start, a request, or a change.
    package static let busyTime = Duration.seconds(120)

    private var requests: UInt64
    private var busyUntil: Duration
    private var nextRound: Duration

    package init(at now: Duration) {
        requests = 0
        busyUntil = now + HousekeepingPace.busyTime
        nextRound = now
    }

    /// Call it at each beat. True if a round is due now.
    package mutating func isDue(at now: Duration, requests: UInt64, hasNews: Bool) -> Bool {
        if requests != self.requests || hasNews { busyUntil = now + HousekeepingPace.busyTime }
        self.requests = requests
        let isBusy = now < busyUntil
        let isTooFar = isBusy && nextRound - now > HousekeepingPace.busyInterval
        guard hasNews || isTooFar || now >= nextRound else { return false }
        nextRound = now + (isBusy ? HousekeepingPace.busyInterval : HousekeepingPace.idleInterval)
        return true
    }

    /// The time until the next beat: `slowest` on an idle machine.
    package func pause(at now: Duration, slowest: Duration) -> Duration {
        now < busyUntil ? min(slowest, HousekeepingPace.busyInterval) : slowest
    }
}
