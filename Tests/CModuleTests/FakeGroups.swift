// SPDX-License-Identifier: Apache-2.0

import CWire
import Glibc

/// The groups of a fake PAM stack's name services: `entra_admins` belongs to another directory and has gid 70002, and
/// bob is a member. The user `theirs` has the gid of entralogin's administrators' group.
extension FakeStack {
    typealias GroupLookUp =
        @convention(c) (
            UnsafePointer<CChar>?, UnsafeMutablePointer<group>?, UnsafeMutablePointer<CChar>?, Int,
            UnsafeMutablePointer<UnsafeMutablePointer<group>?>?
        ) -> Int32
    typealias GroupList =
        @convention(c) (UnsafePointer<CChar>?, gid_t, UnsafeMutablePointer<gid_t>?, UnsafeMutablePointer<Int32>?) ->
        Int32

    static let foreignGroup: gid_t = 70_002

    static let lookUpGroup: GroupLookUp = { name, record, _, size, found in
        guard let name, let record, let found else { return EINVAL }
        found.pointee = nil
        // As large as a group with thousands of members.
        guard size > 100_000 else { return ERANGE }
        guard String(cString: name) == "entra_admins" else { return 0 }
        record.pointee.gr_gid = FakeStack.foreignGroup
        found.pointee = record
        return 0
    }

    static let listGroups: GroupList = { name, own, groups, count in
        guard let name, let groups, let count else { return -1 }
        let others: [String: [gid_t]] = ["bob": [FakeStack.foreignGroup], "theirs": [ENTRALOGIN_ADMINS_GID]]
        // More groups than fit into the caller's first array.
        let listed = [own] + (20_000..<22_000) + (others[String(cString: name)] ?? [])
        defer { count.pointee = Int32(listed.count) }
        guard listed.count <= Int(count.pointee) else { return -1 }
        for (index, group) in listed.enumerated() { groups[index] = group }
        return Int32(listed.count)
    }
}
