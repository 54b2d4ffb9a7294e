// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// The sessions that sshd processes, and sign-ins with a code, opened since the daemon's start, behind their pidfds. Bounded.
package final class OpenSessions: Sendable {
    package static let limit = 4096

    /// One of them, for the report.
    package struct Entry: Hashable, Sendable {
        package let pid: Int32
        package let uid: PosixID
        package let isAdministrator: Bool
        package let openedAt: UnixTime
    }

    private struct Session {
        let uid: PosixID
        let service: String
        let isAdministrator: Bool
        let openedAt: UnixTime
        /// The certificate that was used; nil where it was a code.
        let certificate: [UInt8]?
        let process: any WatchedProcess
    }

    private let limit: Int
    private let sessions = Mutex<[Int32: Session]>([:])

    package init(limit: Int = OpenSessions.limit) { self.limit = limit }

    /// False where there is no room: the session is good, but its grant is renewed only while logind knows it.
    package func add(
        _ process: any WatchedProcess,
        uid: PosixID,
        service: String = "sshd",
        isAdministrator: Bool,
        certificate: [UInt8]? = nil,
        at openedAt: UnixTime
    ) -> Bool {
        sessions.withLock { sessions in
            if sessions[process.pid] == nil, sessions.count >= limit {
                sessions = sessions.filter { $0.value.process.isAlive }
                guard sessions.count < limit else { return false }
            }
            sessions[process.pid] = Session(
                uid: uid,
                service: DecisionJournal.bounded(service, 64),
                isAdministrator: isAdministrator,
                openedAt: openedAt,
                certificate: certificate,
                process: process
            )
            return true
        }
    }

    /// Forgets the session of that process, and returns its PAM service; nil where it was not this person's.
    @discardableResult
    package func remove(pid: Int32, uid: PosixID) -> String? {
        sessions.withLock { sessions in
            guard let session = sessions[pid], session.uid == uid else { return nil }
            sessions[pid] = nil
            return session.service
        }
    }

    package func hasLive(_ uid: PosixID) -> Bool {
        sessions.withLock { $0.values.contains { $0.uid == uid && $0.process.isAlive } }
    }

    /// Who has a living session.
    package func everybody() -> Set<PosixID> {
        sessions.withLock { sessions in Set(sessions.values.filter { $0.process.isAlive }.map(\.uid)) }
    }

    /// Who has a living session that began with a certificate of which `holds` is true. It is asked without the lock.
    package func uids(whoseCertificate holds: ([UInt8]) -> Bool) -> Set<PosixID> {
        let living = sessions.withLock { sessions in sessions.values.filter { $0.process.isAlive } }
        return Set(living.filter { $0.certificate.map(holds) ?? false }.map(\.uid))
    }

    /// Who has a living session that began as administrator.
    package func administrators() -> Set<PosixID> {
        sessions.withLock { sessions in
            Set(sessions.values.filter { $0.isAdministrator && $0.process.isAlive }.map(\.uid))
        }
    }

    /// Forgets sessions whose process is gone, and closes its pidfd.
    package func sweep() {
        sessions.withLock { sessions in sessions = sessions.filter { $0.value.process.isAlive } }
    }

    /// Those whose process lives, oldest first.
    package func list() -> [Entry] {
        sessions.withLock { sessions in
            sessions.filter { $0.value.process.isAlive }.map { pid, session in
                Entry(
                    pid: pid,
                    uid: session.uid,
                    isAdministrator: session.isAdministrator,
                    openedAt: session.openedAt
                )
            }
        }.sorted { ($0.openedAt, $0.pid) < ($1.openedAt, $1.pid) }
    }

    package var count: Int { sessions.withLock { $0.count } }
}
