// SPDX-License-Identifier: Apache-2.0

internal import CWire

/// A uid or gid inside the compiled-in range, so never 0, never a system id, never a container's (P7).
package struct PosixID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let number: UInt32

    /// Nil for a number outside the range that Entra accounts may have.
    package init?(user number: UInt32) {
        guard entralogin_uid_in_range(number) != 0 else { return nil }
        self.number = number
    }

    /// The first and the last number a user may have.
    package static var userRange: ClosedRange<UInt32> {
        ENTRALOGIN_ID_FIRST + ENTRALOGIN_GROUP_IDS...ENTRALOGIN_ID_LAST
    }

    /// The group of every Entra account, and the group of the administrators.
    package static var usersGroup: UInt32 { ENTRALOGIN_ID_FIRST }
    package static var administratorsGroup: UInt32 { ENTRALOGIN_ID_FIRST + 1 }

    package var description: String { String(number) }

    package static func < (left: PosixID, right: PosixID) -> Bool { left.number < right.number }
}

/// The rule for the names of entralogin's two groups: `entralogin_group_name_is_valid` of CWire, which the modules apply
/// too.
package enum GroupName {
    /// True for a name that no group of the system has: a lower-case letter, then letters, digits, `_` and `-`, an
    /// underscore among them, at most 32 bytes, not beginning with `systemd`; and not `ShortName.group`.
    package static func isAcceptable(_ name: String) -> Bool {
        guard name != ShortName.group else { return false }
        var name = name
        return name.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { entralogin_group_name_is_valid($0.baseAddress, $0.count) != 0 }
        }
    }
}
