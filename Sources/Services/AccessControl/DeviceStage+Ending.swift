// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

// A sign-in with a code, from the code to its end.

extension DeviceStage {
    /// Consecutive unanswered questions after which Entra counts as unreachable.
    private static let faultLimit = 5
    private static let longestInterval: Duration = .seconds(60)

    /// Polls Entra at the interval that it asks for (RFC 8628, 3.5) until there is a verdict.
    func pursue(_ signIn: PendingSignIn, _ subject: DecisionSubject) async -> StageVerdict {
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
                case .proven(let identity, let name): return await evaluate(identity, name, signIn, subject)
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

    /// A user completed the sign-in: checks that the account is theirs, and asks Azure for their role.
    private func evaluate(
        _ identity: DirectoryIdentity,
        _ name: String,
        _ signIn: PendingSignIn,
        _ subject: DecisionSubject
    ) async -> StageVerdict {
        var subject = subject
        subject.identity = identity
        subject.roleNeeded = signIn.need.role
        let account = signIn.account
        do throws(Denial) {
            guard parts.ports.machines.current?.tenant == identity.tenant else {
                throw Denial(elsewhere: "tenant \(identity.tenant)")
            }
            guard UserName(folding: name) == account.name else {
                throw Denial(
                    .wrongName,
                    text: "You signed in to Microsoft Entra ID as another user than \(account.name)",
                    detail: "signed in as \(DecisionJournal.bounded(name, 128))"
                )
            }
            // The same account, not retired meanwhile, and bound to this very object (P5).
            let accounts = parts.ports.accounts.view()
            let binding = try AccountBinding(account.name, uid: account.systemUID, home: account.home, in: accounts)
            try binding.check(identity)
            guard binding.enrolled != nil else { throw Denial(.notEnrolled) }
            let ruling = await ask(about: identity, needing: signIn.need, subject)
            subject.correlation = ruling.correlation
            switch ruling.decision {
            case .deny(let denial): throw denial
            case .allow(let role, let source):
                guard isAwaited(signIn) else { throw DeviceStage.gone }
                if !signIn.need.isStepUp { try remember(signIn, identity) }
                parts.journal.allow(subject, role: role, source: source)
                return .allow
            }
        } catch {
            return parts.journal.deny(subject, error)
        }
    }

    /// Remembers the sign-in for the session stage.
    private func remember(_ signIn: PendingSignIn, _ identity: DirectoryIdentity) throws(Denial) {
        let here = SignedInHere(
            user: signIn.account.name,
            uid: signIn.account.systemUID,
            home: signIn.account.home,
            identity: identity,
            signedInAt: parts.ports.time.bootTime()
        )
        try parts.signedIn.remember(here, in: signIn.process)
    }

    /// The process lives, still waits, and has not begun another sign-in.
    private func isAwaited(_ signIn: PendingSignIn) -> Bool {
        pending.isCurrent(signIn) && signIn.isAwaited(at: parts.ports.time.bootTime())
    }

    private static var gone: Denial { Denial(.deviceExpired, detail: "the process that asked waits no more") }

    private func ask(
        about identity: DirectoryIdentity,
        needing need: PendingSignIn.Need,
        _ subject: DecisionSubject
    ) async -> Ruling {
        let demand = DecisionDemand(
            maximumAge: need.maximumAge,
            deadline: parts.ports.time.bootTime().advanced(by: parts.settings.stageTimeout),
            role: need.role,
            takesUserAtOnce: true
        )
        return await parts.authorizer.decide(identity, under: demand, correlation: subject.correlation)
            .requiring(need.role)
    }
}
