// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
internal import Synchronization

/// The open sessions that sshd or a sign-in with a code began, each tied to its process by a pidfd: those since the
/// daemon's start, and older ones that the keeper has. Bounded.
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
        /// The certificate that was used; nil for a code, and for a session from before the daemon's start.
        let certificate: [UInt8]?
        let process: any WatchedProcess
        /// The keeper has it: it survives a restart of the daemon.
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
        /// Names of ended sessions that the keeper has not released yet. Each takes room there.
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

    /// False if there is no room: the session is valid, but its grant is renewed only while logind knows it.
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

    /// Restores the keeper's sessions from before the daemon's start. `isKnown`: whether the account still exists.
    /// Sessions that are not restored are released.
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

    /// Forgets the session of that process, and returns its PAM service; nil if it was not this user's.
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

    /// Users with a live session.
    package func everybody() -> Set<PosixID> {
        state.withLock { state in Set(state.sessions.values.filter { $0.process.isAlive }.map(\.uid)) }
    }

    /// Users with a live session that began with a certificate for which `holds` is true. It runs without the lock.
    package func uids(whoseCertificate holds: ([UInt8]) -> Bool) -> Set<PosixID> {
        let living = state.withLock { state in state.sessions.values.filter { $0.process.isAlive } }
        return Set(living.filter { $0.certificate.map(holds) ?? false }.map(\.uid))
    }

    /// Users with a live session that began as administrator.
    package func administrators() -> Set<PosixID> {
        state.withLock { state in
            Set(state.sessions.values.filter { $0.isAdministrator && $0.process.isAlive }.map(\.uid))
        }
    }

    /// Forgets sessions whose process has ended, and closes their pidfds. Retries what failed at the keeper.
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

    /// The live sessions, oldest first.
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
