// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// Users whose cron jobs and user services run here. Such jobs never wait for the network, so the users' decisions are
/// refreshed in the background. Bounded.
package final class BatchPeople: Sendable {
    package static let limit = 512

    private let lastSeen = Mutex<[DirectoryIdentity: BootTime]>([:])
    private let time: any TimeSource

    package init(time: any TimeSource) { self.time = time }

    package func note(_ identity: DirectoryIdentity) {
        let now = time.bootTime()
        lastSeen.withLock { lastSeen in
            if lastSeen[identity] == nil, lastSeen.count >= BatchPeople.limit {
                if let oldest = lastSeen.min(by: { $0.value < $1.value }) { lastSeen[oldest.key] = nil }
            }
            lastSeen[identity] = now
        }
    }

    /// Users seen within the last `age`; the others are forgotten.
    package func current(within age: Duration) -> [DirectoryIdentity] {
        let now = time.bootTime()
        return lastSeen.withLock { lastSeen in
            lastSeen = lastSeen.filter { $0.value.duration(to: now) <= age }
            return Array(lastSeen.keys)
        }
    }
}
