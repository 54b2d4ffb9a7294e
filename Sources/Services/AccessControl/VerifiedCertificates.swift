// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
package import OpenSSHCertificates
internal import Synchronization

/// A certificate that was verified for a name in one sshd process, with the record that sshd had for that name.
package struct VerifiedHere: Hashable, Sendable {
    package let user: UserName
    package let uid: UInt32
    package let home: String
    package let certificate: VerifiedCertificate
    package let verifiedAt: BootTime
    package let correlation: CorrelationID

    package init(
        user: UserName,
        uid: UInt32,
        home: String,
        certificate: VerifiedCertificate,
        verifiedAt: BootTime,
        correlation: CorrelationID
    ) {
        self.user = user
        self.uid = uid
        self.home = home
        self.certificate = certificate
        self.verifiedAt = verifiedAt
        self.correlation = correlation
    }

    fileprivate func isSame(as other: VerifiedHere) -> Bool {
        user == other.user && uid == other.uid && home == other.home && certificate.blob == other.certificate.blob
    }
}

/// What was verified in which sshd process: in memory only, bounded, with a pidfd, for the login grace at most.
///
/// A pid alone proves nothing, since it can be reused: at each use, the pidfd is asked whether that very process is
/// alive.
package final class VerifiedCertificates: Sendable {
    /// sshd's `MaxAuthTries` is 6 by default: no sensible client offers more certificates in one connection.
    package static let perProcess = 8
    package static let processLimit = 1024
    /// Each time this many more are remembered, the entries of ended processes are removed, with their pidfds.
    private static let sweepStep = 64

    package enum Remembered: Hashable, Sendable {
        case new
        /// sshd runs the helper twice for one sign-in.
        case again(CorrelationID)
    }

    private struct Process {
        let watched: any WatchedProcess
        var certificates: [VerifiedHere]

        func lastVerified() -> BootTime { certificates.map(\.verifiedAt).max() ?? BootTime(sinceBoot: .zero) }
    }

    private let lifetime: Duration
    private let processLimit: Int
    private let watcher: any ProcessWatcher
    private let processes = Mutex<[Int32: Process]>([:])

    package init(
        watcher: any ProcessWatcher,
        lifetime: Duration,
        processLimit: Int = VerifiedCertificates.processLimit
    ) {
        self.watcher = watcher
        self.lifetime = lifetime
        self.processLimit = processLimit
    }

    /// Remembers a certificate for the process. `tooManyAttempts` where there is no room: entries of other processes
    /// are never given up. `certificateNotVerified` where there is no such process.
    package func remember(_ verified: VerifiedHere, in pid: Int32) throws(Denial) -> Remembered {
        let watched = watcher.watch(pid: pid)
        guard let watched else {
            throw Denial(.certificateNotVerified, detail: "no process \(pid) lives any more")
        }
        return try processes.withLock { processes throws(Denial) in
            sweepExpired(&processes, at: verified.verifiedAt)
            if var known = processes[pid], known.watched.isAlive {
                defer { processes[pid] = known }
                return try VerifiedCertificates.add(verified, to: &known)
            }
            let isTimeToSweep = processes.count % Self.sweepStep == Self.sweepStep - 1
            if processes[pid] == nil, isTimeToSweep || processes.count >= processLimit {
                processes = processes.filter { $0.value.watched.isAlive }
                guard processes.count < processLimit else { throw Denial(.tooManyAttempts) }
            }
            processes[pid] = Process(watched: watched, certificates: [verified])
            return .new
        }
    }

    /// What was verified in the live process with that pid, not longer ago than the login grace.
    package func found(in pid: Int32, at now: BootTime) -> [VerifiedHere] {
        processes.withLock { processes in
            guard let process = processes[pid] else { return [] }
            guard process.watched.isAlive else {
                processes[pid] = nil
                return []
            }
            return process.certificates.filter { isCurrent($0, at: now) }
        }
    }

    /// Forgets what the process verified, once its session is open: sshd opens one for each connection (sshd.c and
    /// sshd-session.c call do_pam_session once, before any channel), so it is not needed again, and a signed-in user
    /// takes no room from those who are signing in.
    package func forget(pid: Int32) { processes.withLock { $0[pid] = nil } }

    /// Forgets what can no longer be used, and closes its pidfds.
    package func sweep(at now: BootTime) {
        processes.withLock { processes in
            sweepExpired(&processes, at: now)
            processes = processes.filter { $0.value.watched.isAlive }
        }
    }

    package var processCount: Int { processes.withLock { $0.count } }

    private static func add(_ verified: VerifiedHere, to process: inout Process) throws(Denial) -> Remembered {
        if let index = process.certificates.firstIndex(where: { $0.isSame(as: verified) }) {
            return .again(process.certificates[index].correlation)
        }
        guard process.certificates.count < perProcess else { throw Denial(.tooManyAttempts) }
        process.certificates.append(verified)
        return .new
    }

    private func isCurrent(_ verified: VerifiedHere, at now: BootTime) -> Bool {
        verified.verifiedAt.duration(to: now) <= lifetime
    }

    private func sweepExpired(_ processes: inout [Int32: Process], at now: BootTime) {
        guard processes.contains(where: { !isCurrentProcess($0.value, at: now) }) else { return }
        processes = processes.filter { isCurrentProcess($0.value, at: now) }
    }

    private func isCurrentProcess(_ process: Process, at now: BootTime) -> Bool {
        process.lastVerified().duration(to: now) <= lifetime
    }
}
