// SPDX-License-Identifier: Apache-2.0

internal import CSnapshot
internal import Identity

/// Lays out and reads the published Entra groups and who is in them (entralogin_snapshot.h, GROUPS).
package struct GroupSnapshot: Hashable, Sendable {
    package struct Group: Hashable, Sendable {
        package let name: String
        package let gid: UInt32

        package init(name: String, gid: UInt32) {
            self.name = name
            self.gid = gid
        }
    }

    /// What stands about one person.
    package struct Person: Hashable, Sendable {
        /// Whole seconds since boot.
        package let expiry: UInt64
        /// Bit i: the group with that place.
        package let places: UInt64

        package init(expiry: UInt64, places: UInt64) {
            self.expiry = expiry
            self.places = places
        }
    }

    /// People; as many as there may be grants.
    package static let limit = GrantSnapshot.limit
    static let fileLimit =
        Int(ENTRALOGIN_GROUPS_HEADER) + Int(ENTRALOGIN_GROUPS_MAX * ENTRALOGIN_GROUP_ENTRY)
        + limit * Int(ENTRALOGIN_MEMBER_ENTRY)

    /// In their places; at most `ENTRALOGIN_GROUPS_MAX`.
    package var groups: [Group]
    /// By uid; none where nobody is in any.
    package var people: [UInt32: Person]

    package init(groups: [Group], people: [UInt32: Person] = [:]) {
        self.groups = groups
        self.people = people
    }

    /// The file. `generation` is the header's.
    package func bytes(boot: BootID, generation: UInt64) -> [UInt8] {
        let header = Int(ENTRALOGIN_GROUPS_HEADER)
        let (groupSize, personSize) = (Int(ENTRALOGIN_GROUP_ENTRY), Int(ENTRALOGIN_MEMBER_ENTRY))
        let behindGroups = header + groups.count * groupSize
        var bytes = [UInt8](repeating: 0, count: behindGroups + people.count * personSize)
        bytes.replaceSubrange(0..<8, with: ENTRALOGIN_GROUPS_MAGIC.utf8)
        bytes.put(ENTRALOGIN_SNAPSHOT_VERSION, at: 8)
        bytes.put(ENTRALOGIN_GROUPS_HEADER, at: 12)
        bytes.put(UInt64(bytes.count), at: 16)
        bytes.put(generation, at: 24)
        bytes.replaceSubrange(32..<48, with: boot.bytes)
        bytes.put(UInt32(groups.count), at: 48)
        bytes.put(UInt32(people.count), at: 52)
        bytes.put(SnapshotHash.of(bytes[0..<60], seed: 0), at: 60)
        for (place, group) in groups.enumerated() {
            let start = header + place * groupSize
            bytes.put(group.gid, at: start)
            bytes.put(UInt32(group.name.utf8.count), at: start + 8)
            bytes.replaceSubrange(start + 12..<start + 12 + group.name.utf8.count, with: group.name.utf8)
            bytes.put(GroupSnapshot.checksum(of: start, groupSize, in: bytes), at: start + 4)
        }
        for (index, entry) in people.sorted(by: { $0.key < $1.key }).enumerated() {
            let start = behindGroups + index * personSize
            bytes.put(entry.key, at: start)
            bytes.put(entry.value.expiry, at: start + 8)
            bytes.put(entry.value.places, at: start + 16)
            bytes.put(GroupSnapshot.checksum(of: start, personSize, in: bytes), at: start + 4)
        }
        return bytes
    }

    /// What a file of that boot says of people, whose places mean these very groups; nil for anything that is not
    /// wholly sound, for another boot and for other groups.
    package static func read(
        _ bytes: [UInt8],
        boot: BootID,
        of groups: [Group]
    ) -> (snapshot: GroupSnapshot, generation: UInt64)? {
        let header = Int(ENTRALOGIN_GROUPS_HEADER)
        guard bytes.count >= header, bytes.count <= fileLimit else { return nil }
        let behindGroups = header + groups.count * Int(ENTRALOGIN_GROUP_ENTRY)
        let size = Int(ENTRALOGIN_MEMBER_ENTRY)
        guard bytes.count >= behindGroups, (bytes.count - behindGroups) % size == 0 else { return nil }
        var snapshot = GroupSnapshot(groups: groups)
        for start in stride(from: behindGroups, to: bytes.count, by: size) {
            let uid: UInt32 = bytes.number(at: start)
            guard PosixID(user: uid) != nil else { return nil }
            snapshot.people[uid] = Person(expiry: bytes.number(at: start + 8), places: bytes.number(at: start + 16))
        }
        // Written anew it is the same file, or it was none of entralogin's.
        let generation: UInt64 = bytes.number(at: 24)
        guard snapshot.bytes(boot: boot, generation: generation) == bytes else { return nil }
        return (snapshot, generation)
    }

    private static func checksum(of start: Int, _ size: Int, in bytes: [UInt8]) -> UInt32 {
        SnapshotHash.of(Array(bytes[start..<start + 4]) + bytes[start + 8..<start + size], seed: 0)
    }
}
