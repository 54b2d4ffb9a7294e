// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import LinuxSystem

/// The daemon's user, for root's `--check-config`: what the daemon may not read must not look readable.
enum DaemonUser {
    static let name = "entralogin"

    /// Why this process could not become the daemon's user.
    struct Failure: Error, CustomStringConvertible {
        let call: String
        let reason: Errno

        var description: String { "cannot become user \(name): \(call): \(reason)" }
    }

    /// Changes from root to the daemon's user and its groups, for good. Does nothing if this is not root, or if there
    /// is no such user yet (an image that is being built).
    static func become() throws(Failure) {
        guard geteuid() == 0, let user = getpwnam(name)?.pointee, user.pw_uid != 0 else { return }
        guard initgroups(name, user.pw_gid) == 0 else { throw Failure(call: "initgroups", reason: .last) }
        guard setgid(user.pw_gid) == 0 else { throw Failure(call: "setgid", reason: .last) }
        guard setuid(user.pw_uid) == 0 else { throw Failure(call: "setuid", reason: .last) }
    }
}
