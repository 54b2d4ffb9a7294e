// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// The sessions that sshd processes, and sign-ins with a code, opened, behind their pidfds: since the daemon's start, and
/// those from before it that the keeper has. Bounded.
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
        /// The certificate that was used; nil where it was a code, or before the daemon's start.
        let certificate: [UInt8]?
        let process: any WatchedProcess
        /// It comes back when the daemon is started again.
        var isKept = false

        var name: String {
            KeptSession(
                pid: process.pid,
                uid: uid,
                openedAt: openedAt,
                isAdministrator: isAdministrator,
                service: service
            ).name
        }
    }

    private struct State {
        var sessions: [Int32: Session] = [:]
        /// Names of sessions that have ended, and that the keeper could not be told to release yet. Each takes room there.
        var unreleased: Set<String> = []

        var keptCount: Int { unreleased.count + sessions.values.count { $0.isKept } }
    }

    private let limit: Int
    private let keeper: any SessionKeeper
    private let state = Mutex(State())

    package init(limit: Int = OpenSessions.limit, keeper: any SessionKeeper = NoSessionKeeper()) {
        self.limit = limit
        self.keeper = keeper
    }

    /// False where there is no room: the session is good, but its grant is renewed only while logind knows it.
    package func add(
        _ process: any WatchedProcess,
        uid: PosixID,
        service: String = "sshd",
        isAdministrator: Bool,
        certificate: [UInt8]? = nil,
        at openedAt: UnixTime
    ) -> Bool {
        state.withLock { state in
            if state.sessions[process.pid] == nil, state.sessions.count >= limit {
                forgetEnded(&state)
                guard state.sessions.count < limit else { return false }
            }
            if let earlier = state.sessions.removeValue(forKey: process.pid) { release(earlier, &state) }
            var session = Session(
                uid: uid,
                service: DecisionJournal.bounded(service, 64),
                isAdministrator: isAdministrator,
                openedAt: openedAt,
                certificate: certificate,
                process: process
            )
            keep(&session, &state)
            state.sessions[process.pid] = session
            return true
        }
    }

    /// Takes over what the keeper has from before the daemon's start. `isKnown`: the account is there. What is not taken
    /// over is released.
    package func restore(isKnown: (PosixID) -> Bool) {
        for (name, process) in keeper.kept() {
            guard let kept = KeptSession(name: name), kept.pid == process.pid, process.isAlive, isKnown(kept.uid) else {
                state.withLock { state in if !keeper.release(name) { state.unreleased.insert(name) } }
                continue
            }
            let session = Session(
                uid: kept.uid,
                service: kept.service,
                isAdministrator: kept.isAdministrator,
                openedAt: kept.openedAt,
                certificate: nil,
                process: process,
                isKept: true
            )
            state.withLock { state in
                let earlier = state.sessions.updateValue(session, forKey: kept.pid)
                if let earlier, earlier.name != name { release(earlier, &state) }
            }
        }
    }

    private func keep(_ session: inout Session, _ state: inout State) {
        guard !session.isKept, state.keptCount < keeper.limit else { return }
        session.isKept = keeper.keep(session.process, as: session.name)
    }

    private func release(_ session: Session, _ state: inout State) {
        guard session.isKept, !keeper.release(session.name) else { return }
        state.unreleased.insert(session.name)
    }

    private func forgetEnded(_ state: inout State) {
        for (pid, session) in state.sessions where !session.process.isAlive {
            state.sessions[pid] = nil
            release(session, &state)
        }
    }

    /// Forgets the session of that process, and returns its PAM service; nil where it was not this person's.
    @discardableResult
    package func remove(pid: Int32, uid: PosixID) -> String? {
        state.withLock { state in
            guard let session = state.sessions[pid], session.uid == uid else { return nil }
            state.sessions[pid] = nil
            release(session, &state)
            return session.service
        }
    }

    package func hasLive(_ uid: PosixID) -> Bool {
        state.withLock { $0.sessions.values.contains { $0.uid == uid && $0.process.isAlive } }
    }

    /// Who has a living session.
    package func everybody() -> Set<PosixID> {
        state.withLock { state in Set(state.sessions.values.filter { $0.process.isAlive }.map(\.uid)) }
    }

    /// Who has a living session that began with a certificate of which `holds` is true. It is asked without the lock.
    package func uids(whoseCertificate holds: ([UInt8]) -> Bool) -> Set<PosixID> {
        let living = state.withLock { state in state.sessions.values.filter { $0.process.isAlive } }
        return Set(living.filter { $0.certificate.map(holds) ?? false }.map(\.uid))
    }

    /// Who has a living session that began as administrator.
    package func administrators() -> Set<PosixID> {
        state.withLock { state in
            Set(state.sessions.values.filter { $0.isAdministrator && $0.process.isAlive }.map(\.uid))
        }
    }

    /// Forgets sessions whose process is gone, and closes its pidfd. What the keeper could not be told is tried again.
    package func sweep() {
        state.withLock { state in
            forgetEnded(&state)
            state.unreleased = state.unreleased.filter { !keeper.release($0) }
            for (pid, session) in state.sessions where !session.isKept {
                var session = session
                keep(&session, &state)
                state.sessions[pid] = session
            }
        }
    }

    /// Those whose process lives, oldest first.
    package func list() -> [Entry] {
        state.withLock { state in
            state.sessions.filter { $0.value.process.isAlive }.map { pid, session in
                Entry(
                    pid: pid,
                    uid: session.uid,
                    isAdministrator: session.isAdministrator,
                    openedAt: session.openedAt
                )
            }
        }.sorted { ($0.openedAt, $0.pid) < ($1.openedAt, $1.pid) }
    }

    package var count: Int { state.withLock { $0.sessions.count } }
}
