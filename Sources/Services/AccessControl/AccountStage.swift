// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity

/// The account stage of PAM: may this user use this service now? No effects (P3, P4).
package struct AccountStage: Sendable {
    let parts: AccessParts

    init(_ parts: AccessParts) { self.parts = parts }

    /// Decides for the process `callerPID`, which SO_PEERCRED proved.
    package func decide(_ request: AccountRequest, callerPID: Int32) async -> StageVerdict {
        let policy = ServicePolicy.of(
            service: request.service,
            isInSSHD: request.isInSSHD,
            holdsAdministratorsGroup: request.holdsAdministratorsGroup,
            isInvoked: request.invokingUID != nil
        )
        // Nothing is recorded: most users without a membership never had one, and run what other sudoers rules allow.
        if let group = request.groupAskedFor {
            return await decide(whetherIn: group, request, under: policy, callerPID)
        }
        let asksForMembership = ServicePolicy.asksForMembership(request.service)
        var accounts: any AccountsView = parts.ports.accounts.view()
        if asksForMembership, !isMember(request.user, accounts) {
            guard request.service == ServicePolicy.sudoers,
                await SessionRaise(parts).isRaised(bySudo: request, in: accounts)
            else { return .ignore }
            // Azure's answer may have taken seconds.
            accounts = parts.ports.accounts.view()
        }
        var subject = DecisionSubject(
            event: .account,
            user: request.user,
            service: request.service,
            startedAt: parts.ports.time.bootTime(),
            correlation: parts.ports.random.correlationID()
        )
        do throws(Denial) {
            let persons: [Person]
            if asksForMembership, parts.membership.isWithheld { throw AccountStage.withheld }
            if request.isInSSHD {
                guard let person = try signingIn(request, callerPID, accounts) else { return .ignore }
                if request.isNameTaken { throw refusal(ofTakenNameOf: person.name, accounts) }
                persons = [person]
            } else {
                persons = try self.persons(in: request, under: policy, callerPID, accounts)
            }
            guard !persons.isEmpty else { return .ignore }
            if policy.kind == .batch { for person in persons { parts.batch.note(person.identity) } }
            let verdict = await decide(persons, under: policy, waits: request.waits, &subject)
            if request.isInSSHD { note(verdict, subject) }
            return verdict
        } catch {
            if request.isInSSHD { note(.deny(error, text: ""), subject) }
            return parts.journal.deny(subject, error)
        }
    }

    /// For `explain`.
    private func note(_ verdict: StageVerdict, _ subject: DecisionSubject) {
        let now = parts.ports.time.bootTime()
        switch verdict {
        case .allow: parts.attempts.note(.roleGiven, of: subject.user, subject.identity, at: now)
        case .deny(let denial, _): parts.attempts.note(.refused(denial), of: subject.user, subject.identity, at: now)
        case .ignore, .pending: break
        }
    }

    static let withheld = Denial(
        .stackNotVerified,
        text: "Administrators have no sudo now: sudo's files on this machine would keep it after a role's end",
        detail: "entraloginctl doctor names the line"
    )

    /// The account is an administrator as far as this machine knows; Azure is asked afterwards.
    private func isMember(_ user: String, _ accounts: any AccountsView) -> Bool {
        guard let name = UserName(user), case .enrolled(let enrolled) = accounts.standing(of: name) else {
            return false
        }
        return parts.membership.holds(enrolled.account.uid.number)
    }

    /// An Entra user whom the request concerns.
    struct Person {
        let name: UserName
        let identity: DirectoryIdentity
        let role: Role
    }

    /// Decides for each user; the first refusal is the answer.
    private func decide(
        _ persons: [Person],
        under policy: ServicePolicy,
        waits: Bool,
        _ subject: inout DecisionSubject
    ) async -> StageVerdict {
        let deadline = policy.waitsForNetwork ? subject.startedAt.advanced(by: parts.settings.stageTimeout) : nil
        let question = subject.correlation
        var allowed: (role: Role, source: AllowSource)?
        for person in persons {
            let demand = DecisionDemand(
                maximumAge: policy.maximumAge,
                deadline: deadline,
                role: person.role,
                takesUserAtOnce: true
            )
            let ruling = await parts.authorizer.decide(person.identity, under: demand, correlation: question)
                .requiring(person.role)
            subject.identity = person.identity
            subject.correlation = ruling.correlation
            subject.roleNeeded = person.role
            switch ruling.decision {
            case .deny(let denial) where policy.kind == .batch:
                return refuse(person.identity, denial, waits: waits, subject)
            case .deny(let denial): return parts.journal.deny(subject, denial)
            case .allow(let role, let source):
                let weaker = allowed.map { min($0.role, role) } ?? role
                let viaGrace = allowed?.source == .grace || source == .grace
                allowed = (weaker, viaGrace ? .grace : source)
            }
        }
        parts.journal.allow(subject, role: allowed?.role, source: allowed?.source)
        return .allow
    }
}

// MARK: - Jobs

extension AccountStage {
    /// Until Azure's first answer about an account, its jobs wait for it, in their own processes (P9). A job that
    /// waited in vain causes a warning, since not every job is tried again.
    private func refuse(
        _ identity: DirectoryIdentity,
        _ denial: Denial,
        waits: Bool,
        _ subject: DecisionSubject
    ) -> StageVerdict {
        let isUnanswered = denial.reason == .noRecentDecision && !parts.starts.hasAnswer(about: identity)
        if isUnanswered, waits { return .pending }
        if subject.service == "systemd-user" { parts.starts.noteRefusal(identity) }
        guard isUnanswered else { return parts.journal.deny(subject, denial) }
        return parts.journal.deny(subject, Denial(notStarted: subject.service), .warning)
    }
}

// MARK: - Inside sshd

extension AccountStage {
    /// Nil where the account is not an Entra account.
    private func signingIn(
        _ request: AccountRequest,
        _ callerPID: Int32,
        _ accounts: any AccountsView
    ) throws(Denial) -> Person? {
        let now = parts.ports.time.bootTime()
        // sshd runs as root and has no invoking user. A user who made sudo look like sshd, by another name for its
        // file, wants the rules of a sign-in, or none where the target is root.
        if let uid = request.invokingUID, accounts.holder(ofSystemUID: uid) != .other {
            throw Denial(.unsupported, detail: "a process that looks like sshd was run by uid \(uid)")
        }
        // The name of an Entra account that NSS no longer knows (retired, or now a local account's) has no uid.
        if UserName(folding: request.invokingUser) != nil {
            let name = DecisionJournal.bounded(request.invokingUser, 128)
            throw Denial(.unsupported, detail: "a process that looks like sshd was run by \(name)")
        }
        if !AccountStage.canBeEntra(request.user, uid: request.uid, accounts) {
            // Another directory's account, unless a certificate from Entra was shown in this very process.
            guard !parts.verified.found(in: callerPID, at: now).isEmpty else { return nil }
            let detail = "the account's uid is \(request.uid) now, which is not in entralogin's id range"
            throw Denial(.recordChanged, detail: detail)
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
        return Person(name: evidence.account.name, identity: evidence.identity, role: .user)
    }

    /// The PAM module has found another user by the account's short name. A new account is no longer given that name,
    /// so the next sign-in works (P6); an account that has it is refused for as long as that is so.
    private func refusal(ofTakenNameOf name: UserName, _ accounts: any AccountsView) -> Denial {
        let detail = "\(name.localPart) leads to another user's record"
        guard case .provisional(let account) = accounts.standing(of: name), let short = account.shortName else {
            let text = "Another user of this machine has your short name: ask this machine's administrator"
            return Denial(.numberTaken, text: text, detail: detail)
        }
        parts.ports.accounts.hold(short)
        return Denial(held: short, of: name, detail: detail)
    }

    /// True for a uid in the id range; for a name that only an Entra account can have and that has no uid; and for a
    /// name on root's list, whose account is then mapped or refused.
    static func canBeEntra(_ user: String, uid: UInt32, _ accounts: any AccountsView) -> Bool {
        if PosixID(user: uid) != nil { return true }
        guard let name = UserName(folding: user) else { return false }
        return uid == noID || accounts.listed(name) != nil
    }

    /// `(uid_t)-1`: NSS knows no such name.
    private static let noID = UInt32.max
}

// MARK: - Everywhere else

extension AccountStage {
    /// The Entra users whom the request concerns: the target user and the caller.
    private func persons(
        in request: AccountRequest,
        under policy: ServicePolicy,
        _ callerPID: Int32,
        _ accounts: any AccountsView
    ) throws(Denial) -> [Person] {
        var persons: [Person] = []
        if AccountStage.canBeEntra(request.user, uid: request.uid, accounts) {
            guard let name = UserName(request.user) else { throw Denial(.notOurName) }
            persons.append(try person(name, uid: request.uid, home: request.home, request, policy, callerPID, accounts))
        }
        // Cron's caller is never an Entra account; everywhere else the caller counts, too.
        guard policy.kind != .batch else { return persons }
        for account in try invoking(request, accounts) where !persons.contains(where: { $0.name == account.name }) {
            let uid = account.systemUID
            persons.append(try person(account.name, uid: uid, home: account.home, request, policy, callerPID, accounts))
        }
        return persons
    }

    /// The Entra accounts that ask, by uid and by name: sudo has changed its own uid when PAM asks, and gives the name.
    private func invoking(_ request: AccountRequest, _ accounts: any AccountsView) throws(Denial) -> [Account] {
        var found: [Account] = []
        if let uid = request.invokingUID {
            switch accounts.holder(ofSystemUID: uid) {
            case .other: break
            case .nobody: throw Denial(.notEnrolled, detail: "uid \(uid), the caller's, has no account")
            case .enrolled(let enrolled): found.append(enrolled.account)
            }
        }
        if let name = UserName(request.invokingUser), name != found.first?.name {
            switch accounts.standing(of: name) {
            // A local account has that name: local ones win, and entralogin does not decide.
            case .none(let denial) where denial.reason == .localAccount: break
            default: found.append(try enrolled(name, accounts).account)
            }
        }
        return found
    }

    private func enrolled(_ name: UserName, _ accounts: any AccountsView) throws(Denial) -> EnrolledAccount {
        switch accounts.standing(of: name) {
        case .enrolled(let enrolled): return enrolled
        case .none(let denial): throw denial
        case .provisional: throw Denial(.notEnrolled, detail: "\(name), the caller, never signed in")
        }
    }

    func person(
        _ name: UserName,
        uid: UInt32,
        home: String,
        _ request: AccountRequest,
        _ policy: ServicePolicy,
        _ callerPID: Int32,
        _ accounts: any AccountsView
    ) throws(Denial) -> Person {
        // Only sshd enrols: a user who never signed in through sshd is unknown here, also as a target.
        if case .provisional = accounts.standing(of: name) { throw Denial(.notEnrolled) }
        guard let enrolled = try AccountBinding(name, uid: uid, home: home, in: accounts).enrolled else {
            throw Denial(.notEnrolled)
        }
        // A user who signed in with a code in this very process needs no recent earlier sign-in.
        if parts.signedIn.found(in: callerPID, at: parts.ports.time.bootTime())?.identity != enrolled.identity {
            try checkSignInAge(of: enrolled)
        }
        let role = policy.roleNeeded(
            holdsAdministratorsGroup: request.holdsAdministratorsGroup,
            isListedAdministrator: parts.membership.holds(enrolled.account.uid.number)
        )
        return Person(name: name, identity: enrolled.identity, role: role)
    }

    /// A disabled Entra account may keep its roles, so no user may go on indefinitely without a new certificate.
    private func checkSignInAge(of enrolled: EnrolledAccount) throws(Denial) {
        let last = parts.ports.signIns.lastSignIn(enrolled.identity) ?? enrolled.enrolledAt
        let now = parts.ports.time.wallTime()
        let age = now.seconds.subtractingReportingOverflow(last.seconds).partialValue
        // A sign-in more than a day in the future was recorded by a wrong clock: it proves nothing.
        guard age >= -86_400, age <= parts.settings.maximumSignInAge.components.seconds else {
            throw Denial(.signInTooOld, detail: "the last sign-in was \(last), now it is \(now)")
        }
    }
}
