// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity

/// The auth stage of PAM at a terminal: sign-in with a code that the person types on another device (RFC 8628).
///
/// Nothing durable comes of it. It says yes only where Entra proved who it is, the account of that name is bound to that very
/// object, and Azure gives the role; then it remembers the person behind a pidfd of the asking process, for the session
/// stage. Names that never signed in enrol through sshd only.
package final class DeviceStage: Sendable {
    /// Questions that Entra left unanswered, one after the other, before it counts as unreachable.
    private static let faultLimit = 5
    private static let longestInterval: Duration = .seconds(60)

    private let parts: AccessParts
    private let pending = PendingSignIns()

    init(_ parts: AccessParts) { self.parts = parts }

    package var pendingCount: Int { pending.count }

    /// Asks Entra for a code, for the process `callerPID`, which SO_PEERCRED proved.
    package func begin(_ request: DeviceRequest, callerPID: Int32) async -> DeviceProgress {
        guard let authority = parts.ports.devices, parts.settings.deviceServices.contains(request.service),
            !request.isInSSHD, AccountStage.isOurs(request.user, uid: request.uid)
        else { return .over(.ignore) }
        let subject = subject(user: request.user, service: request.service)
        do throws(Denial) {
            let account = try account(of: request)
            guard let process = parts.ports.processes.watch(pid: callerPID) else {
                throw Denial(.unsupported, detail: "process \(callerPID) is gone")
            }
            parts.signedIn.forget(pid: callerPID)
            try pending.reserve(for: account.name, in: process, at: subject.startedAt)
            let grant: any DeviceGrant
            do throws(AccessCheckFault) {
                grant = try await authority.begin(by: subject.startedAt.advanced(by: parts.settings.stageTimeout))
            } catch {
                pending.release(callerPID)
                throw Denial(error.reason, detail: error.detail)
            }
            let now = parts.ports.time.bootTime()
            let endsAt = now.advanced(by: min(grant.lifetime, parts.settings.deviceLimit))
            let signIn = PendingSignIn(account: account, process: process, grant: grant, endsAt: endsAt, at: now)
            return start(signIn, subject)
        } catch {
            return .over(parts.journal.deny(subject, error))
        }
    }

    /// Has it ended? Waits for that, but not for long.
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

    private func account(of request: DeviceRequest) throws(Denial) -> Account {
        guard let name = UserName(request.user) else {
            throw Denial(.notOurName, detail: DecisionJournal.bounded(request.user, 128))
        }
        // Service principals have no browser to type a code in.
        guard name.domain != nil else { throw Denial(.unsupported, detail: "\(name) is nobody who can type a code") }
        let binding = AccountBinding(accounts: parts.ports.accounts)
        let (account, enrolled) = try binding.account(named: name, uid: request.uid, home: request.home)
        guard enrolled != nil else { throw Denial(.notEnrolled) }
        return account
    }

    private func start(_ signIn: PendingSignIn, _ subject: DecisionSubject) -> DeviceProgress {
        let handle = parts.ports.random.correlationID().description
        pending.put(signIn, under: handle)
        parts.ports.starter.start { [self] in
            signIn.land(await pursue(signIn, subject))
        }
        let seconds = left(of: signIn)
        let text =
            "To sign in as \(signIn.account.name), open \(signIn.grant.address) on any device and type the code"
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

// MARK: - Until its end

extension DeviceStage {
    /// Asks Entra again and again, as it wants to be asked (RFC 8628, 3.5), until there is a verdict.
    private func pursue(_ signIn: PendingSignIn, _ subject: DecisionSubject) async -> StageVerdict {
        let time = parts.ports.time
        var interval = signIn.grant.interval
        var faults = 0
        while true {
            await time.sleep(until: min(time.bootTime().advanced(by: interval), signIn.endsAt))
            let now = time.bootTime()
            guard isAwaited(signIn) else {
                pending.release(signIn)
                return parts.journal.deny(subject, DeviceStage.gone)
            }
            guard now < signIn.endsAt else { return parts.journal.deny(subject, Denial(.deviceExpired)) }
            do throws(AccessCheckFault) {
                switch try await signIn.grant.redeem(by: now.advanced(by: parts.settings.stageTimeout)) {
                case .pending: faults = 0
                case .slowDown: interval = min(interval + .seconds(5), DeviceStage.longestInterval)
                case .refused(let denial): return parts.journal.deny(subject, denial)
                case .proven(let identity, let name): return await judge(identity, name, signIn, subject)
                }
            } catch {
                faults += 1
                guard faults < DeviceStage.faultLimit else {
                    return parts.journal.deny(subject, Denial(error.reason, detail: error.detail))
                }
                interval = min(max(interval * 2, error.retryAfter ?? .zero), DeviceStage.longestInterval)
            }
        }
    }

    /// Somebody signed in: is it whoever the account belongs to, and may they?
    private func judge(
        _ identity: DirectoryIdentity,
        _ name: String,
        _ signIn: PendingSignIn,
        _ subject: DecisionSubject
    ) async -> StageVerdict {
        var subject = subject
        subject.identity = identity
        let account = signIn.account
        do throws(Denial) {
            guard parts.ports.machines.current?.tenant == identity.tenant else {
                throw Denial(elsewhere: "tenant \(identity.tenant)")
            }
            guard UserName(folding: name) == account.name else {
                throw Denial(
                    .wrongName,
                    text: "You signed in to Microsoft Entra ID as somebody else than \(account.name)",
                    detail: "signed in as \(DecisionJournal.bounded(name, 128))"
                )
            }
            // The same account, not retired meanwhile, and bound to this very object (P5).
            let binding = AccountBinding(accounts: parts.ports.accounts)
            let uid = account.uid.number
            _ = try binding.account(named: account.name, uid: uid, home: account.home, of: identity)
            guard parts.ports.accounts.enrolled(uid: uid) != nil else { throw Denial(.notEnrolled) }
            let ruling = await ask(about: identity, subject)
            subject.correlation = ruling.correlation
            switch ruling.decision {
            case .deny(let denial): throw denial
            case .allow(let role, let source):
                let now = parts.ports.time.bootTime()
                guard isAwaited(signIn) else { throw DeviceStage.gone }
                let here = SignedInHere(
                    user: account.name,
                    uid: uid,
                    home: account.home,
                    identity: identity,
                    signedInAt: now
                )
                try parts.signedIn.remember(here, in: signIn.process)
                parts.journal.allow(subject, role: role, source: source)
                return .allow
            }
        } catch {
            return parts.journal.deny(subject, error)
        }
    }

    /// The process lives, still waits, and has not begun another sign-in.
    private func isAwaited(_ signIn: PendingSignIn) -> Bool {
        pending.isCurrent(signIn) && signIn.isAwaited(at: parts.ports.time.bootTime())
    }

    private static var gone: Denial { Denial(.deviceExpired, detail: "the process that asked waits no more") }

    private func ask(about identity: DirectoryIdentity, _ subject: DecisionSubject) async -> Ruling {
        let demand = DecisionDemand(
            maximumAge: ServicePolicy.signIn.maximumAge,
            deadline: parts.ports.time.bootTime().advanced(by: parts.settings.stageTimeout)
        )
        return await parts.authorizer.decide(identity, under: demand, correlation: subject.correlation)
    }
}
