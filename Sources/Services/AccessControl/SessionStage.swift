// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity
internal import OpenSSHCertificates

/// open_session inside sshd: only now is it known which credential was used, so only now come the effects: enrol,
/// publish, grant (P4, P5, P6, P14). Outside sshd, a session opens for an enrolled user who signed in with a code in
/// that very process.
package struct SessionStage: Sendable {
    private let parts: AccessParts

    init(_ parts: AccessParts) { self.parts = parts }

    /// Decides for the sshd process `callerPID`, which SO_PEERCRED proved.
    package func open(_ request: SessionRequest, callerPID: Int32) async -> StageVerdict {
        let now = parts.ports.time.bootTime()
        var subject = DecisionSubject(
            event: .sessionOpened,
            user: request.user,
            service: request.service,
            startedAt: now,
            correlation: parts.ports.random.correlationID()
        )
        let accounts = parts.ports.accounts.view()
        if !AccountStage.canBeEntra(request.user, uid: request.uid, accounts) {
            guard !parts.verified.found(in: callerPID, at: now).isEmpty else { return .ignore }
            let denial = Denial(
                .recordChanged,
                detail: "the account's uid is \(request.uid) now, which is not in entralogin's id range"
            )
            return parts.journal.deny(subject, denial, .critical)
        }
        do throws(Denial) {
            let (evidence, process) = try self.evidence(request, callerPID, accounts, at: now)
            subject.identity = evidence.identity
            let ruling = await ask(evidence.identity, subject)
            subject.correlation = ruling.correlation
            let (role, source) = try SessionStage.allowed(ruling)
            // The answer may have taken seconds: a caller that has hung up meanwhile gets nothing.
            try SessionStage.check(process)
            let enrolled = try await enrol(evidence, request, subject)
            try SessionStage.check(process)
            // The disk may have taken seconds, too: a refusal that came meanwhile counts (P2). An older one does not:
            // what Azure allows now may be waiting for its confirmation, and is not kept yet.
            if let last = await parts.authorizer.cached(evidence.identity), let no = last.denial,
                ruling.answeredAt.map({ $0 <= last.answeredAt }) ?? true
            {
                throw Denial(no.reason, text: no.text, detail: "Azure said so while the account was being enrolled")
            }
            parts.groups?.publish(enrolled)
            let used = UsedCredential(authenticationInfo: request.authenticationInfo)
            let certificate = evidence.certificates.first { used?.isSame(as: $0) ?? false }?.certificate.blob
            parts.membership.inTurn {
                let isAdministrator = grant(enrolled, role, ruling, subject)
                watch(process, of: enrolled, isAdministrator, certificate, subject)
            }
            parts.verified.forget(pid: callerPID)
            parts.signedIn.forget(pid: callerPID)
            parts.ports.signIns.noteSignIn(enrolled.identity, at: parts.ports.time.wallTime())
            parts.attempts.note(.sessionOpened, of: request.user, enrolled.identity, at: parts.ports.time.bootTime())
            parts.journal.allow(subject, role: role, source: source)
            return .allow
        } catch {
            parts.attempts.note(.refused(error), of: request.user, subject.identity, at: parts.ports.time.bootTime())
            // sshd had accepted the user already: at this point, these reasons indicate an attempted bypass.
            let tried: Set<DenialReason> = [.certificateNotUsed, .certificateNotVerified, .recordChanged, .homeRefused]
            return parts.journal.deny(subject, error, tried.contains(error.reason) ? .critical : .notice)
        }
    }

    /// The session that this process opened has ended. The grant ends with the user's last session.
    package func close(user: String, uid: UInt32, callerPID: Int32) {
        let accounts = parts.ports.accounts.view()
        guard let uid = accounts.holder(ofSystemUID: uid).account?.account.uid ?? PosixID(user: uid),
            let service = parts.sessions.remove(pid: callerPID, uid: uid)
        else { return }
        let account = accounts.enrolled(uid: uid.number)
        var subject = DecisionSubject(
            event: .sessionClosed,
            user: account?.account.name.text ?? user,
            service: service,
            startedAt: parts.ports.time.bootTime(),
            correlation: parts.ports.random.correlationID()
        )
        subject.identity = account?.identity
        let user = DecisionJournal.bounded(subject.user, 128)
        parts.journal.note(.sessionClosed, .information, "Session of \(user) closed", of: subject)
        parts.membership.inTurn {
            guard !parts.sessions.hasLive(uid), !parts.isInherited(uid) else { return }
            parts.membership.withdraw(uid, because: nil, correlation: subject.correlation)
        }
    }
}

// MARK: - The steps

extension SessionStage {
    /// The verified certificates of this very process, one of which is the credential that was used. The home and the
    /// group must be this user's.
    private func evidence(
        _ request: SessionRequest,
        _ callerPID: Int32,
        _ accounts: any AccountsView,
        at now: BootTime
    ) throws(Denial) -> (SignInEvidence, any WatchedProcess) {
        let evidence = try signIn(request, callerPID, accounts, at: now)
        guard request.gid == request.uid else {
            throw Denial(.recordChanged, detail: "the caller has gid \(request.gid) with uid \(request.uid)")
        }
        if let obstacle = HomeObstacle(request) { throw obstacle.denial }
        guard let process = parts.ports.processes.watch(pid: callerPID) else {
            throw Denial(.certificateNotVerified, detail: "process \(callerPID) is gone")
        }
        return (evidence, process)
    }

    /// By a code in a process that has nothing from sshd; by certificate everywhere else.
    private func signIn(
        _ request: SessionRequest,
        _ callerPID: Int32,
        _ accounts: any AccountsView,
        at now: BootTime
    ) throws(Denial) -> SignInEvidence {
        if let signedIn = parts.signedIn.found(in: callerPID, at: now), request.authenticationInfo.isEmpty,
            parts.settings.deviceServices.contains(request.service),
            parts.verified.found(in: callerPID, at: now).isEmpty
        {
            return try SignInEvidence(
                signedIn,
                as: request.user,
                uid: request.uid,
                home: request.home,
                accounts: accounts
            )
        }
        let evidence = try SignInEvidence(
            for: request.user,
            uid: request.uid,
            home: request.home,
            in: callerPID,
            verified: parts.verified,
            accounts: accounts,
            at: now
        )
        guard let used = UsedCredential(authenticationInfo: request.authenticationInfo) else {
            throw Denial(.certificateNotUsed, detail: "sshd does not name exactly one public key that was used")
        }
        guard evidence.certificates.contains(where: used.isSame) else {
            throw Denial(.certificateNotUsed, detail: "the key that was used was not verified in process \(callerPID)")
        }
        return evidence
    }

    private static func check(_ process: any WatchedProcess) throws(Denial) {
        guard process.isAlive else { throw Denial(.certificateNotVerified, detail: "the asking process is gone") }
    }

    private func ask(_ identity: DirectoryIdentity, _ subject: DecisionSubject) async -> Ruling {
        let demand = DecisionDemand(
            maximumAge: ServicePolicy.signIn.maximumAge,
            deadline: subject.startedAt.advanced(by: parts.settings.stageTimeout),
            takesUserAtOnce: true
        )
        return await parts.authorizer.decide(identity, under: demand, correlation: subject.correlation)
    }

    private static func allowed(_ ruling: Ruling) throws(Denial) -> (Role, AllowSource) {
        switch ruling.decision {
        case .allow(let role, let source): return (role, source)
        case .deny(let denial): throw denial
        }
    }

    /// Binds the account permanently, or finds it bound. It must be the one that sshd will use (P6).
    private func enrol(
        _ evidence: SignInEvidence,
        _ request: SessionRequest,
        _ subject: DecisionSubject
    ) async throws(Denial) -> EnrolledAccount {
        let known = evidence.account
        let account = Account(
            name: known.name,
            uid: known.uid,
            displayName: evidence.certificates.first?.certificate.displayName ?? known.displayName,
            home: known.home,
            shell: known.shell,
            mappedUID: known.mappedUID,
            shortName: known.shortName
        )
        let isNew = parts.ports.accounts.view().enrolled(uid: known.uid.number) == nil
        let enrolled = try await parts.ports.accounts.enrol(account, as: evidence.identity)
        let bound = enrolled.account
        guard bound.name == known.name, bound.systemName == known.systemName, bound.systemUID == request.uid,
            bound.home == request.home,
            enrolled.identity == evidence.identity, enrolled.retiredAt == nil
        else { throw Denial(.recordChanged, detail: "what was enrolled is not what sshd will use") }
        let message = "\(bound.name) enrolled as uid \(bound.systemUID)"
        if isNew {
            parts.journal.note(.enrolled, .notice, message, of: subject)
            await awaitSubordinateIDs(of: enrolled, subject)
        }
        return enrolled
    }

    /// The first command of the first session may be podman, which remembers that it found no range. Without a range,
    /// the user signs in all the same.
    private func awaitSubordinateIDs(of enrolled: EnrolledAccount, _ subject: DecisionSubject) async {
        let deadline = subject.startedAt.advanced(by: parts.settings.stageTimeout)
        guard await !parts.ports.accounts.awaitSubordinateIDs(of: enrolled, by: deadline) else { return }
        let text = "\(enrolled.account.name) has no subordinate ids yet; entraloginctl doctor says why"
        parts.journal.note(.fault, .warning, text, of: subject)
    }

    private func watch(
        _ process: any WatchedProcess,
        of enrolled: EnrolledAccount,
        _ isAdministrator: Bool,
        _ certificate: [UInt8]?,
        _ subject: DecisionSubject
    ) {
        let uid = enrolled.account.uid
        let openedAt = parts.ports.time.wallTime()
        let isWatched = parts.sessions.add(
            process,
            uid: uid,
            service: subject.service,
            isAdministrator: isAdministrator,
            certificate: certificate,
            at: openedAt
        )
        guard !isWatched else { return }
        parts.journal.note(.fault, .warning, "Too many open sessions: this one is not watched", of: subject)
    }

    /// Grants an administrator the membership, and ends what is left of it for any other user. A grant that cannot be
    /// published fails no sign-in: the administrator signs in as a user, and the record says why.
    private func grant(
        _ enrolled: EnrolledAccount,
        _ role: Role,
        _ ruling: Ruling,
        _ subject: DecisionSubject
    ) -> Bool {
        let uid = enrolled.account.uid
        guard role == .administrator, let answeredAt = ruling.answeredAt else {
            // An unconfirmed answer ends nothing (P2): another session may hold the grant.
            if ruling.confirmation.isFinal {
                parts.membership.withdraw(uid, because: .administratorRoleNeeded, correlation: ruling.correlation)
            }
            return false
        }
        guard !parts.membership.isWithheld else {
            let text = "\(enrolled.account.name) signs in as a user: sudo's files would keep sudo after the role's end;"
            parts.journal.note(.fault, .error, "\(text) entraloginctl doctor names the line", of: subject)
            return false
        }
        let expiry = parts.grantExpiry(for: ruling)
        do throws(Denial) {
            guard try parts.membership.grant(enrolled, until: expiry, answeredAt: answeredAt) else { return false }
            let name = enrolled.account.name
            parts.journal.note(.granted, .information, "\(name) is administrator for now", of: subject)
        } catch {
            parts.journal.note(.fault, .error, "Administrator membership not granted: \(error.detail)", of: subject)
        }
        return true
    }
}
