// SPDX-License-Identifier: Apache-2.0

package import Identity

/// The part of an open session that survives a restart of the daemon: a name, kept with the process, in printable ASCII
/// without `:`. Its form is `session-1-PID-UID-SECONDS-ROLE-SERVICE`, where SECONDS is when it began (CLOCK_REALTIME)
/// and ROLE `a` or `u`.
package struct KeptSession: Hashable, Sendable {
    /// Longest name of a PAM service, in bytes; a longer one, or one with other characters, is left out.
    private static let longestService = 64
    private static let longestName = 160
    private static let form: [Substring] = ["session", "1"]

    package let pid: Int32
    package let uid: PosixID
    package let openedAt: UnixTime
    package let isAdministrator: Bool
    /// Empty if unknown.
    package let service: String

    package init(pid: Int32, uid: PosixID, openedAt: UnixTime, isAdministrator: Bool, service: String) {
        self.pid = pid
        self.uid = uid
        self.openedAt = openedAt
        self.isAdministrator = isAdministrator
        self.service = KeptSession.isPlain(service) ? service : ""
    }

    package var name: String {
        "session-1-\(pid)-\(uid)-\(openedAt.seconds)-\(isAdministrator ? "a" : "u")-\(service)"
    }

    /// Nil for everything that `name` does not write.
    package init?(name: String) {
        guard name.utf8.count <= KeptSession.longestName else { return nil }
        let parts = name.split(separator: "-", maxSplits: 6, omittingEmptySubsequences: false)
        guard parts.count == 7, Array(parts[..<2]) == KeptSession.form, let pid = Int32(parts[2]), pid > 0,
            let uid = UInt32(parts[3]).flatMap(PosixID.init(user:)), let seconds = Int64(parts[4]), seconds >= 0
        else { return nil }
        self.init(
            pid: pid,
            uid: uid,
            openedAt: UnixTime(seconds: seconds),
            isAdministrator: parts[5] == "a",
            service: String(parts[6])
        )
        // Only the canonical spelling: no sign, no leading zero, no other role or service.
        guard self.name == name else { return nil }
    }

    private static func isPlain(_ service: String) -> Bool {
        service.utf8.count <= longestService
            && service.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
