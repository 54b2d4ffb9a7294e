// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// The user who signed in with a code in one process, with the passwd record that the process had of the name.
package struct SignedInHere: Hashable, Sendable {
    package let user: UserName
    package let uid: UInt32
    package let home: String
    package let identity: DirectoryIdentity
    package let signedInAt: BootTime

    package init(user: UserName, uid: UInt32, home: String, identity: DirectoryIdentity, signedInAt: BootTime) {
        self.user = user
        self.uid = uid
        self.home = home
        self.identity = identity
        self.signedInAt = signedInAt
    }
}

/// Completed sign-ins with a code: for services at a terminal what `VerifiedCertificates` is for sshd. In memory only,
/// bounded, tied to the process by a pidfd, kept for the login grace at most, and consumed by the session. A second
/// sign-in in the same process replaces the first.
package final class DeviceSignIns: Sendable {
    package static let limit = 256

    private struct Entry {
        let process: any WatchedProcess
        let signedIn: SignedInHere
    }

    private let lifetime: Duration
    private let entries = Mutex<[Int32: Entry]>([:])

    package init(lifetime: Duration) { self.lifetime = lifetime }

    /// Remembers a sign-in of `process`. Throws `tooManyAttempts` if there is no room.
    package func remember(_ signedIn: SignedInHere, in process: any WatchedProcess) throws(Denial) {
        try entries.withLock { entries throws(Denial) in
            if entries[process.pid] == nil, entries.count >= DeviceSignIns.limit {
                sweep(&entries, at: signedIn.signedInAt)
                guard entries.count < DeviceSignIns.limit else { throw Denial(.tooManyAttempts) }
            }
            entries[process.pid] = Entry(process: process, signedIn: signedIn)
        }
    }

    /// The sign-in in the living process with that pid, if it is within the login grace.
    package func found(in pid: Int32, at now: BootTime) -> SignedInHere? {
        entries.withLock { entries in
            guard let entry = entries[pid] else { return nil }
            guard isCurrent(entry, at: now) else {
                entries[pid] = nil
                return nil
            }
            return entry.signedIn
        }
    }

    package func forget(pid: Int32) { entries.withLock { $0[pid] = nil } }

    package func sweep(at now: BootTime) { entries.withLock { sweep(&$0, at: now) } }

    package var count: Int { entries.withLock { $0.count } }

    private func sweep(_ entries: inout [Int32: Entry], at now: BootTime) {
        entries = entries.filter { isCurrent($0.value, at: now) }
    }

    private func isCurrent(_ entry: Entry, at now: BootTime) -> Bool {
        entry.process.isAlive && entry.signedIn.signedInAt.duration(to: now) <= lifetime
    }
}
