// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity

/// What would happen to a user who signs in here, step by step, and why. No effects.
package struct SignInExplanation: Sendable {
    private typealias Step = Explanation.Step

    /// How long the metadata service is waited for, where it has not answered since the start.
    private static let machineTime = Duration.seconds(2)

    let parts: AccessParts

    init(_ parts: AccessParts) { self.parts = parts }

    /// Explains the sign-in of a name. Azure is asked only where `asking` is set, and only where the object id is
    /// known: of an enrolled user, or from a certificate that was shown here.
    package func explain(_ name: String, asking: Bool) async -> Explanation {
        var steps = [stackStep(), await machineStep(asking: asking), keysStep()] + revocationSteps()
        let shown = DecisionJournal.bounded(name, 128)
        let accounts = parts.ports.accounts.view()
        guard let userName = UserName(folding: name) ?? accounts.wholeName(of: name.lowercased()) else {
            let meant = namesLike(name).map { "; did you mean \($0)?" } ?? ""
            let denial = Denial(.notOurName, detail: "a user principal name or a GUID is expected\(meant)")
            return Explanation(name: shown, steps: [Step("name", denial)] + steps)
        }
        let spelling = userName.text == name ? "" : ": sign in as \(userName), in lower case"
        steps.insert(Step("name", .ok, "\(shown) can be a name of Entra's\(spelling)"), at: 0)
        if let step = attemptStep(userName) { steps.append(step) }
        var known: Explanation.Account?
        switch accounts.standing(of: userName) {
        case .none(let denial):
            steps.append(Step("account", denial))
        case .provisional(let account):
            known = Explanation.Account(account, isEnrolled: false)
            let text =
                "Never signed in here; would get uid \(account.systemUID)\(called(account, accounts)) and home \(account.home)"
            steps.append(Step("account", .ok, text))
            steps.append(await newcomersRole(userName, asking: asking))
        case .enrolled(let enrolled):
            let account = enrolled.account
            known = Explanation.Account(account, isEnrolled: true)
            let objectID = enrolled.identity.objectID
            let text =
                "Enrolled as uid \(account.systemUID)\(called(account, accounts)), home \(account.home), object id \(objectID)"
            steps.append(
                enrolled.retiredAt == nil ? Step("account", .ok, text) : Step("account", Denial(retired: enrolled))
            )
            if let machine = parts.ports.machines.current, machine.tenant != enrolled.identity.tenant {
                let detail = "the account is of \(enrolled.identity.tenant), this machine trusts \(machine.tenant)"
                steps.append(Step("tenant", Denial(.wrongTenant, detail: detail)))
            }
            if let step = objectStep(enrolled) { steps.append(step) }
            let (role, step) = await roleStep(enrolled.identity, asking: asking)
            steps += [step, administratorStep(enrolled, role), signInStep(enrolled)]
        }
        return Explanation(name: shown, steps: steps, account: known)
    }
}

/// Its short name, or why it has none.
private func called(_ account: Account, _ accounts: any AccountsView) -> String {
    if let short = account.shortName { return ", the name \(short)" }
    return accounts.obstacleToShortName(of: account).map { ", no short name (\($0))" } ?? ""
}

// MARK: - The machine's steps

extension SignInExplanation {
    private func stackStep() -> Explanation.Step {
        if let denial = parts.ports.stamp.refusal() { return Step("stack", denial) }
        return Step("stack", .ok, "sshd, PAM and the modules are wired as they must be")
    }

    private func machineStep(asking: Bool) async -> Explanation.Step {
        guard let machine = parts.ports.machines.current else { return Step("machine", Denial(.machineUnknown)) }
        // No role is asked for on a machine that is known only from an earlier start (P1).
        let limit = parts.ports.time.bootTime().advanced(by: SignInExplanation.machineTime)
        if asking {
            do throws(AccessCheckFault) { _ = try await parts.ports.machines.machine(by: limit) } catch {
                return Step("machine", Denial(error.reason, detail: error.particulars))
            }
        }
        return Step("machine", .ok, "This is \(machine.resource), which trusts tenant \(machine.tenant)")
    }

    private func keysStep() -> Explanation.Step {
        let status = parts.keyring.status()
        guard status.keys > 0 else { return Step("keys", Denial(.noAuthorityKeys)) }
        let age = status.age.map { ", confirmed \(Elapsed.text($0)) ago" } ?? ""
        let stale = status.isStale ? "; that is long: new keys of Entra's are not known" : ""
        let keys = status.keys == 1 ? "1 CA key is" : "\(status.keys) CA keys are"
        return Step("keys", .ok, "\(keys) trusted\(age)\(stale)")
    }

    /// Only where a list is configured.
    private func revocationSteps() -> [Explanation.Step] {
        guard let status = parts.keyring.revocationStatus else { return [] }
        if let fault = status.fault { return [Step("revocation", Denial(.revokedKeysUnusable, detail: fault))] }
        return [Step("revocation", .ok, "The administrator's list can be read; \(status.entries) entries")]
    }
}

// MARK: - The user's steps

extension SignInExplanation {
    /// Nil unless a valid certificate of another object was shown under this name lately.
    private func objectStep(_ enrolled: EnrolledAccount) -> Explanation.Step? {
        let name = enrolled.account.name
        guard let other = parts.otherObjects.latest(under: name), other.objectID != enrolled.identity.objectID else {
            return nil
        }
        return Explanation.Step(
            "object",
            .unknown,
            "A certificate of this name for object id \(other.objectID) was refused \(ago(other.seenAt))",
            remedy: "only if that is the same person, made anew in Entra:"
                + " entraloginctl users rebind \(name) --object-id \(other.objectID);"
                + " anybody else needs another name",
            reason: DenialReason.objectIDChanged.rawValue
        )
    }

    func roleStep(_ identity: DirectoryIdentity, asking: Bool) async -> (Role?, Explanation.Step) {
        let resource = parts.ports.machines.current?.resource
        let now = parts.ports.time.bootTime()
        if asking {
            let demand = DecisionDemand(
                maximumAge: .seconds(-1),
                deadline: now.advanced(by: parts.settings.stageTimeout)
            )
            let correlation = parts.ports.random.correlationID()
            let ruling = await parts.authorizer.decide(identity, under: demand, correlation: correlation)
            let ending = "correlation id \(ruling.correlation)"
            switch ruling.decision {
            case .allow(let role, .grace):
                return (
                    role, Step("role", .ok, "Azure cannot be reached; an earlier \(role.rawValue) stands in, \(ending)")
                )
            case .allow(let role, _):
                return (role, Step("role", .ok, "Azure gives the role \"\(role.builtInName)\", \(ending)"))
            case .deny(let denial):
                if let step = await standingAnswer(identity, insteadOf: denial) { return step }
                let remedy = Explanation.remedy(for: denial.reason, resource: resource)
                return (nil, Step("role", denial, remedy: remedy))
            }
        }
        guard let last = await parts.authorizer.cached(identity) else {
            return (nil, Step("role", .unknown, "Azure has not been asked lately; it is at the next sign-in"))
        }
        let age = "\(Elapsed.text(last.age(at: now).components.seconds)) ago"
        guard let role = last.role else {
            let missing = last.denial ?? Denial(.roleNotAssigned)
            let said = ["Azure said so \(age)", missing.detail].filter { !$0.isEmpty }.joined(separator: "; ")
            let denial = Denial(missing.reason, text: missing.text, detail: said)
            return (nil, Step("role", denial, remedy: Explanation.remedy(for: missing.reason, resource: resource)))
        }
        return (role, Step("role", .ok, "Azure gave the role \"\(role.builtInName)\" \(age)"))
    }

    /// Where Azure fails, a sign-in would use its answer of a moment ago (`ServicePolicy.signIn`), but never after a
    /// final no.
    private func standingAnswer(
        _ identity: DirectoryIdentity,
        insteadOf denial: Denial
    ) async -> (Role?, Explanation.Step)? {
        guard let last = await parts.authorizer.cached(identity), let role = last.role else { return nil }
        let limit = ServicePolicy.signIn.maximumAge
        let age = last.age(at: parts.ports.time.bootTime())
        guard age <= limit else { return nil }
        let text =
            "Azure gave the role \"\(role.builtInName)\" \(Elapsed.text(age.components.seconds)) ago, which counts for"
            + " \(Elapsed.text((limit - age).components.seconds)) more; asked again just now, it fails: \(denial.text)"
        return (role, Step("role", .ok, text))
    }

    private func administratorStep(_ enrolled: EnrolledAccount, _ role: Role?) -> Explanation.Step {
        let now = parts.ports.time.bootTime()
        if let expiry = parts.membership.current()[enrolled.account.uid] {
            let seconds = now.duration(to: expiry).components.seconds
            return Step("administrator", .ok, "Member of the administrators' group for \(Elapsed.text(seconds)) more")
        }
        guard role == .administrator else {
            return Step("administrator", .ok, "Not a member of the administrators' group")
        }
        return Step("administrator", .ok, "Becomes a member of the administrators' group when the session opens")
    }

    private func signInStep(_ enrolled: EnrolledAccount) -> Explanation.Step {
        let last = parts.ports.signIns.lastSignIn(enrolled.identity) ?? enrolled.enrolledAt
        let age = parts.ports.time.wallTime().seconds - last.seconds
        let limit = parts.settings.maximumSignInAge.components.seconds
        guard age <= limit else {
            // An old sign-in bars sudo and cron, not the sign-in over SSH that renews it.
            let remedy = DenialText.remedy(for: .signInTooOld)
            return Step(
                "sign-in",
                .unknown,
                "The last was \(Elapsed.text(age)) ago: sudo and cron are refused",
                remedy: remedy
            )
        }
        let rest = Elapsed.text(limit - age)
        guard parts.ports.signIns.knownSignIn(enrolled) != nil || !enrolled.isAdded else {
            let text =
                "None is known since root added the account \(Elapsed.text(age)) ago; cron goes on for \(rest) more"
            return Step("sign-in", .ok, text)
        }
        return Step("sign-in", .ok, "The last was \(Elapsed.text(age)) ago; sudo and cron go on for \(rest) more")
    }
}
