// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

extension AccountStage {
    /// sudoers has a rule for an Entra group, and sudo's plugin asks whether the user is in it: Azure is asked anew, as
    /// about an administrator. Not being in it is no refusal: other rules of sudoers may hold.
    func decide(
        whetherIn group: String,
        _ request: AccountRequest,
        under policy: ServicePolicy,
        _ callerPID: Int32
    ) async -> StageVerdict {
        let accounts = parts.ports.accounts.view()
        guard let groups = parts.groups, let name = UserName(request.user),
            case .enrolled(let enrolled) = accounts.standing(of: name), groups.isOne(group)
        else { return .ignore }
        var subject = DecisionSubject(
            event: .account,
            user: request.user,
            service: request.service,
            startedAt: parts.ports.time.bootTime(),
            correlation: parts.ports.random.correlationID()
        )
        subject.identity = enrolled.identity
        do throws(Denial) {
            let home = request.home
            let asked = try person(name, uid: request.uid, home: home, request, policy, callerPID, accounts)
            let (role, source) = try await role(of: asked.identity, under: policy, &subject)
            // Azure's answer may have taken seconds, and the account may be another's by now.
            let standing = parts.ports.accounts.view().enrolled(uid: enrolled.account.uid.number)
            guard standing?.identity == asked.identity, groups.holds(enrolled, group, notOlderThan: longest(policy))
            else { return .ignore }
            // As for administrators: what keeps sudo from asking PAM would keep this rule after the role's end, too.
            if parts.membership.isWithheld { throw AccountStage.withheld }
            parts.journal.allow(subject, role: role, source: source)
            return .allow
        } catch {
            return parts.journal.deny(subject, error)
        }
    }

    private func role(
        of identity: DirectoryIdentity,
        under policy: ServicePolicy,
        _ subject: inout DecisionSubject
    ) async throws(Denial) -> (Role, AllowSource) {
        let demand = DecisionDemand(
            maximumAge: policy.maximumAge,
            deadline: subject.startedAt.advanced(by: parts.settings.stageTimeout)
        )
        let ruling = await parts.authorizer.decide(identity, under: demand, correlation: subject.correlation)
        subject.correlation = ruling.correlation
        switch ruling.decision {
        case .allow(let role, let source): return (role, source)
        case .deny(let denial): throw denial
        }
    }

    /// A membership counts for sudo as long as a role does: by a fresh answer or, without one, within the grace.
    private func longest(_ policy: ServicePolicy) -> Duration {
        max(parts.settings.offlineGrace, policy.maximumAge + parts.settings.questionTimeout)
    }
}
