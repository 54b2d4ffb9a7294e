// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity

/// The users who are signed in on one machine, and their grants. The renewal's rounds go by these.
final class FleetSessions: AccountRegistry, AccountsView, GrantRegistry, ProcessWatcher, @unchecked Sendable {
    // Unchecked: on the loop's thread only.

    private struct Session {
        let account: EnrolledAccount
        var end: Duration
    }

    private let loop: VirtualLoop
    private var sessions: [PosixID: Session] = [:]
    private var grants: [PosixID: BootTime] = [:]

    init(loop: VirtualLoop) { self.loop = loop }

    func open(_ person: Int, _ identity: DirectoryIdentity, isAdministrator: Bool, seconds: Double) {
        let end = loop.now + .seconds(seconds)
        guard let uid = PosixID(user: PosixID.userRange.lowerBound + UInt32(person)),
            let name = UserName("user\(person)@contoso.com")
        else { return }
        let account = Account(name: name, uid: uid, displayName: "", home: "/home/\(name)", shell: "/bin/bash")
        let enrolled = EnrolledAccount(account: account, identity: identity, enrolledAt: loop.wallTime())
        sessions[uid] = Session(account: enrolled, end: max(end, sessions[uid]?.end ?? .zero))
        if isAdministrator { grants[uid] = loop.bootTime().advanced(by: .seconds(3600)) }
    }

    /// Forgets the sessions that have ended, and their grants.
    private func sweep() {
        for (uid, session) in sessions where session.end <= loop.now {
            sessions[uid] = nil
            grants[uid] = nil
        }
    }

    var count: Int {
        sweep()
        return sessions.count
    }

    func hasLoginSession(uid: UInt32) -> Bool {
        sweep()
        return PosixID(user: uid).map { sessions[$0] != nil } ?? false
    }

    func view() -> FleetSessions { self }

    func allEnrolled() -> [EnrolledAccount] {
        sessions.values.map(\.account).sorted { $0.account.uid < $1.account.uid }
    }

    func enrolled(uid: UInt32) -> EnrolledAccount? { PosixID(user: uid).flatMap { sessions[$0]?.account } }

    func current() -> [PosixID: BootTime] {
        sweep()
        return grants
    }

    func grant(uid: PosixID, until expiry: BootTime) throws(Denial) { grants[uid] = expiry }

    func withdraw(uid: PosixID) { grants[uid] = nil }

    // MARK: Never reached

    func standing(of name: UserName) -> AccountStanding { .none(Denial(.domainNotAllowed)) }
    func enrolled(named name: UserName) -> EnrolledAccount? { nil }
    func holder(ofSystemUID uid: UInt32) -> UIDHolder { .other }
    func listed(_ name: UserName) -> MappedPerson? { nil }
    func enrol(_ account: Account, as identity: DirectoryIdentity) async throws(Denial) -> EnrolledAccount {
        throw Denial(.enrolmentFailed)
    }
    var fault: String? { nil }
    func watch(pid: Int32) -> (any WatchedProcess)? { nil }
}
