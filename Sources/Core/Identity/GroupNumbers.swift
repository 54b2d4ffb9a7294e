// SPDX-License-Identifier: Apache-2.0

internal import CWire

/// Which Entra group has which gid: bound for ever, to tenant and object id, as a file's group is found by its number.
/// The Unix name may change; a gid never goes to another group, also when its line is gone (P5).
package struct GroupNumbers: Hashable, Sendable {
    /// Of the range's first 1024, which no account gets: behind the two shared groups and some room for more of those.
    package static let range: ClosedRange<UInt32> = ENTRALOGIN_MAPPED_GID_FIRST...(ENTRALOGIN_UID_FIRST - 1)

    package struct Group: Hashable, Sendable {
        package let tenant: TenantID
        package let objectID: ObjectID

        package init(tenant: TenantID, objectID: ObjectID) {
            self.tenant = tenant
            self.objectID = objectID
        }
    }

    /// In the order in which they were given.
    package private(set) var bindings: [(group: Group, gid: UInt32)] = []
    private var known: [Group: UInt32] = [:]

    package init() {}

    /// What a store held; nil where it gives one number or one group twice, or a number that is none of the range.
    package init?(_ stored: [(group: Group, gid: UInt32)]) {
        for (group, gid) in stored {
            guard GroupNumbers.range.contains(gid), known[group] == nil, !known.values.contains(gid) else { return nil }
            known[group] = gid
            bindings.append((group, gid))
        }
    }

    package func gid(of group: Group) -> UInt32? { known[group] }

    /// The highest number that was given; nil where none was.
    package var last: UInt32? { bindings.map(\.gid).max() }

    /// One of the groups here has that number.
    package func hasGroup(numbered gid: UInt32) -> Bool { known.values.contains(gid) }

    /// The group's number, bound now where it has none; nil where none is left. `isTaken`: by a local group or another
    /// name service, which win (P7). A number that was passed over for that is never given later: files may bear it.
    package mutating func bind(_ group: Group, isTaken: (UInt32) -> Bool = { _ in false }) -> UInt32? {
        if let gid = known[group] { return gid }
        let first = last.map { $0 + 1 } ?? GroupNumbers.range.lowerBound
        guard first <= GroupNumbers.range.upperBound,
            let gid = (first...GroupNumbers.range.upperBound).first(where: { !isTaken($0) })
        else { return nil }
        known[group] = gid
        bindings.append((group, gid))
        return gid
    }

    package static func == (left: GroupNumbers, right: GroupNumbers) -> Bool { left.known == right.known }

    package func hash(into hasher: inout Hasher) { hasher.combine(known) }
}
