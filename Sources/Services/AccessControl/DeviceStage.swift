// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity

/// The auth stage of PAM at a terminal: sign-in with a code that the user types on another device (RFC 8628), and
/// sudo's step-up.
///
/// It has no durable effects. It says yes only where Entra proved who the user is, the account of that name is bound to
/// that very object, and Azure gives the role; then it remembers the user with a pidfd of the asking process, for the
/// session stage. Nothing is remembered of a step-up: sudo has its answer, and opens no session here. Names that never
/// signed in enrol through sshd only.
package final class DeviceStage: Sendable {
    let parts: AccessParts
    let pending = PendingSignIns()

    init(_ parts: AccessParts) { self.parts = parts }

    package var pendingCount: Int { pending.count }

    /// Asks Entra for a code, for the process `callerPID`, which SO_PEERCRED proved.
    package func begin(_ request: DeviceRequest, callerPID: Int32) async -> DeviceProgress {
        let accounts = parts.ports.accounts.view()
        guard let authority = parts.ports.devices, parts.settings.deviceServices.contains(request.service),
            !request.isInSSHD, AccountStage.canBeEntra(request.user, uid: request.uid, accounts)
        else { return .over(.ignore) }
        let subject = subject(user: request.user, service: request.service)
        do throws(Denial) {
            let account = try account(of: request, in: accounts)
            guard let process = parts.ports.processes.watch(pid: callerPID) else {
                throw Denial(.unsupported, detail: "process \(callerPID) is gone")
            }
            parts.signedIn.forget(pid: callerPID)
            try pending.reserve(for: invoker(of: request, account), in: process, at: subject.startedAt)
            let grant: any DeviceGrant
            do throws(AccessCheckFault) {
                grant = try await authority.begin(by: subject.startedAt.advanced(by: parts.settings.stageTimeout))
            } catch {
                pending.release(callerPID)
                throw Denial(error.reason, detail: error.detail)
            }
            let now = parts.ports.time.bootTime()
            let endsAt = now.advanced(by: min(grant.lifetime, parts.settings.deviceLimit))
            let signIn = PendingSignIn(
                account: account,
                process: process,
                grant: grant,
                need: need(of: request, account),
                endsAt: endsAt,
                at: now
            )
            return start(signIn, subject)
        } catch {
            return .over(parts.journal.deny(subject, error))
        }
    }

    /// Waits for the sign-in to end, but not for long.
    package func wait(_ handle: String, callerPID: Int32) async -> DeviceProgress {
        guard let signIn = pending.find(handle, in: callerPID) else {
            let subject = subject(user: "", service: "")
            let denial = Denial(.deviceExpired, detail: "process \(callerPID) waits for a sign-in that is not there")
            return .over(parts.journal.deny(subject, denial))
        }
        let time = parts.ports.time
        let limit = min(
            time.bootTime().advanced(by: parts.settings.deviceWait),
            signIn.endsAt.advanced(by: .seconds(1))
        )
        guard let verdict = await signIn.verdict(by: limit, on: time) else {
            return .pending(handle: handle, text: "", seconds: left(of: signIn))
        }
        pending.release(signIn)
        return .over(verdict)
    }

    private func account(of request: DeviceRequest, in accounts: any AccountsView) throws(Denial) -> Account {
        guard let name = UserName(request.user) else {
            throw Denial(.notOurName, detail: DecisionJournal.bounded(request.user, 128))
        }
        // Service principals have no browser to type a code in.
        guard name.domain != nil else { throw Denial(.unsupported, detail: "\(name) is nobody who can type a code") }
        let binding = try AccountBinding(name, uid: request.uid, home: request.home, in: accounts)
        guard let enrolled = binding.enrolled else { throw Denial(.notEnrolled) }
        // As for a name without an account: one that root added has no other way in before its user came over SSH.
        guard !enrolled.isAdded || parts.ports.signIns.knownSignIn(enrolled) != nil else {
            throw Denial(.notEnrolled, detail: "root added \(name), and its person has not come over SSH yet")
        }
        return binding.account
    }

    /// sudo asks only about its invoker, and has changed its real uid by then.
    private func invoker(of request: DeviceRequest, _ account: Account) -> PendingSignIns.Invoker {
        if request.isStepUp { return .user(uid: account.systemUID) }
        return request.realUID == 0 ? .console(account.name) : .user(uid: request.realUID)
    }

    /// A question from sudo is an elevation, as in the account stage that follows.
    private func need(of request: DeviceRequest, _ account: Account) -> PendingSignIn.Need {
        guard request.isStepUp else {
            return PendingSignIn.Need(isStepUp: false, role: .user, maximumAge: ServicePolicy.signIn.maximumAge)
        }
        let policy = ServicePolicy.elevation
        let role = policy.roleNeeded(
            holdsAdministratorsGroup: request.holdsAdministratorsGroup,
            isListedAdministrator: parts.membership.holds(account.uid.number)
        )
        return PendingSignIn.Need(isStepUp: true, role: role, maximumAge: policy.maximumAge)
    }

    private func start(_ signIn: PendingSignIn, _ subject: DecisionSubject) -> DeviceProgress {
        let handle = parts.ports.random.correlationID().description
        pending.put(signIn, under: handle)
        parts.ports.starter.start { [self] in
            signIn.finish(await pursue(signIn, subject))
        }
        let seconds = left(of: signIn)
        let purpose = signIn.need.isStepUp ? "let sudo run for" : "sign in as"
        let text =
            "To \(purpose) \(signIn.account.name), open \(signIn.grant.address) on any device and type the code"
            + " \(signIn.grant.userCode) within \(seconds / 60 > 0 ? "\(seconds / 60) min" : "\(seconds) s")."
            + " Only you can have asked for this: never type a code that somebody sent you."
        return .pending(handle: handle, text: DenialText.shorten(text, to: DenialText.longestLine), seconds: seconds)
    }

    private func left(of signIn: PendingSignIn) -> UInt32 {
        let seconds = parts.ports.time.bootTime().duration(to: signIn.endsAt).components.seconds
        return UInt32(clamping: max(seconds, 1))
    }

    private func subject(user: String, service: String) -> DecisionSubject {
        DecisionSubject(
            event: .deviceSignIn,
            user: user,
            service: service,
            startedAt: parts.ports.time.bootTime(),
            correlation: parts.ports.random.correlationID()
        )
    }
}
