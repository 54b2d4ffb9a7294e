// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// Object ids that came with a valid certificate for a name that is bound to another object: the newest of each name,
/// for `explain`. In memory and bounded; only users of this machine's tenant can add an entry.
final class OtherObjects: Sendable {
    struct Sighting: Hashable, Sendable {
        let name: UserName
        let objectID: ObjectID
        let seenAt: BootTime
    }

    /// Number of names; the oldest sighting is dropped first.
    private static let limit = 64

    /// Oldest first.
    private let sightings = Mutex<[Sighting]>([])

    func note(_ objectID: ObjectID, under name: UserName, at now: BootTime) {
        sightings.withLock { sightings in
            sightings.removeAll { $0.name == name }
            if sightings.count >= OtherObjects.limit { sightings.removeFirst() }
            sightings.append(Sighting(name: name, objectID: objectID, seenAt: now))
        }
    }

    func latest(under name: UserName) -> Sighting? {
        sightings.withLock { sightings in sightings.first { $0.name == name } }
    }
}
