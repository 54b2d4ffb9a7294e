// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity

/// Asks the endpoints in the configured order (azure.md, "The role check"):
/// - an endpoint that does not serve the question is skipped, now and for a while;
/// - if an endpoint serves the question but has no answer now, the next one is asked before it is asked again;
/// - a denial without a stated reason is confirmed by role assignments (P2).
package final class OrderedAccessChecker: AccessChecker {
    let checkers: [any EndpointChecker]
    /// Reads role assignments; nil if `ConfirmRefusals=no`.
    let confirmer: (any EndpointChecker)?
    let environment: AzureEnvironment
    let records: CheckerRecords
    let confirmations = ConfirmationTally()

    /// `checkers` in the order of the setting `AccessCheckers=`, each name once.
    package init(
        _ checkers: [any EndpointChecker],
        confirmedBy confirmer: (any EndpointChecker)? = nil,
        environment: AzureEnvironment
    ) {
        self.checkers = checkers
        self.confirmer = confirmer
        self.environment = environment
        records = CheckerRecords(environment)
    }

    package func check(_ question: AccessQuestion) async throws(AccessCheckFault) -> AccessAnswer {
        let rounds = CheckerRounds(environment: environment, records: records)
        do throws(CheckerRounds.Failure) {
            return toConfirm(try await rounds.ask(checkersToAsk(at: environment.time.bootTime()), question))
        } catch {
            throw fault(of: error)
        }
    }

    /// Asks one checker alone, whatever its record says: for `entraloginctl check`. Its answer is not confirmed.
    package func check(_ question: AccessQuestion, via name: String) async throws(AccessCheckFault) -> AccessAnswer {
        guard let checker = all.first(where: { $0.name == name }) else {
            throw AccessCheckFault(.unsupported, detail: "no access checker of that name is configured")
        }
        let rounds = CheckerRounds(environment: environment, records: records, ignoresSilence: true)
        do throws(CheckerRounds.Failure) {
            return toConfirm(try await rounds.ask([checker], question))
        } catch {
            throw error.faults.first?.error.fault ?? AccessCheckFault(.unreachable, detail: "no access checker")
        }
    }

    /// Forgets which checkers do not serve: the next question asks all again.
    package func forget() { records.forget() }

    /// In the configured order.
    package var status: [AzureStatus.Checker] { checkers.map { records.status(of: $0.name) } }

    /// The configured checkers, and the one that confirms.
    var all: [any EndpointChecker] {
        guard let confirmer, !checkers.contains(where: { $0.name == confirmer.name }) else { return checkers }
        return checkers + [confirmer]
    }

    /// Without a confirmer, an answer is final.
    private func toConfirm(_ answer: AccessAnswer) -> AccessAnswer {
        guard case .required = answer.confirmation, confirmer == nil else { return answer }
        return answer.with(.notNeeded)
    }

    /// The checkers that are not to be skipped; all of them if that leaves none, so that a fix shows at once.
    private func checkersToAsk(at now: BootTime) -> [any EndpointChecker] {
        let asked = checkers.filter { records.passedOver($0.name, at: now) == nil }
        return asked.isEmpty ? checkers : asked
    }

    /// One fault for all checkers: that of a checker that serves but has no answer, an outage first. The other
    /// checkers' faults are attached: they are why all depended on this one.
    private func fault(of failure: CheckerRounds.Failure) -> AccessCheckFault {
        let failing = failure.faults.filter { failure in
            guard case .notServed = failure.error.kind else { return true }
            return false
        }
        let telling = failing.first { OfflinePolicy.isOutage($0.error.fault.reason) } ?? failing.first
        guard let telling else { return nobodyServes() }
        let others = checkers.filter { $0.name != telling.name }.compactMap { checker in
            failing.first { $0.name == checker.name }?.error.fault ?? records.notServing(checker.name)
        }
        return telling.error.fault.setting(aside: others)
    }

    /// If a checker has answered before and cannot be reached now, it is an outage, whatever is wrong with the others;
    /// otherwise the reason that the administrator can fix best.
    private func nobodyServes() -> AccessCheckFault {
        let faults = checkers.compactMap { checker in records.notServing(checker.name).map { (checker.name, $0) } }
        let isOutage = faults.contains { $0.1.reason == .unreachable && records.hasServed($0.0) }
        let mostTelling: [DenialReason] =
            isOutage
            ? [.unreachable]
            : [.applicationMissing, .identityMayNotAsk, .resourceNotFound, .malformedAnswer, .unreachable]
        for reason in mostTelling {
            guard let chosen = faults.firstIndex(where: { $0.1.reason == reason }) else { continue }
            let others = faults.indices.filter { $0 != chosen }.map { faults[$0].1 }
            return faults[chosen].1.setting(aside: others)
        }
        // None of these reasons applies: the first fault counts as an outage, with its details.
        guard let first = faults.first?.1 else { return AccessCheckFault(.unreachable, detail: "no access checker") }
        let others = faults.dropFirst().map(\.1)
        return AccessCheckFault(.unreachable, of: first.endpoint, detail: first.facts, setAside: others)
    }
}

extension AccessCheckFault {
    /// The same fault, with the faults of the other checkers attached.
    fileprivate func setting(aside others: [AccessCheckFault]) -> AccessCheckFault {
        AccessCheckFault(
            reason,
            of: endpoint,
            detail: facts,
            cause: cause,
            remedy: remedy,
            retryAfter: retryAfter,
            setAside: setAside + others
        )
    }
}

extension AccessAnswer {
    /// The same answer with another confirmation, and perhaps a higher role.
    func with(_ confirmation: Confirmation, role: Role? = nil) -> AccessAnswer {
        AccessAnswer(
            role: role ?? self.role,
            lifetime: lifetime,
            checker: checker,
            confirmation: confirmation,
            account: account
        )
    }
}
