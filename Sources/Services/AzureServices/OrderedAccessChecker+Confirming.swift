// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity
internal import Synchronization

extension OrderedAccessChecker {
    package func confirm(_ answer: AccessAnswer, to question: AccessQuestion) async -> AccessAnswer {
        guard case .required = answer.confirmation else { return answer }
        guard let confirmer else { return answer.with(.notNeeded) }
        let outcome: Result<AccessAnswer, EndpointFault>
        // Do not wait again for a host that could not be reached a moment ago; a missing right, though, may be granted
        // by now.
        let passedOver = records.passedOver(confirmer.name, at: environment.time.bootTime())
        if let passedOver, passedOver.fault.reason == .unreachable {
            outcome = .failure(passedOver)
        } else {
            outcome = await askConfirmer(question)
        }
        let combined = combine(answer, with: outcome)
        confirmations.note(combined, of: question.objectID)
        return combined
    }

    /// Asks the role assignments. `ignoringSilence`: for an administrator's own question.
    package func askConfirmer(
        _ question: AccessQuestion,
        ignoringSilence: Bool = false
    ) async -> Result<AccessAnswer, EndpointFault> {
        let nobody = AccessCheckFault(.unsupported, detail: "role assignments are not asked")
        guard let confirmer else { return .failure(EndpointFault(kind: .noAnswer, fault: nobody)) }
        let rounds = CheckerRounds(environment: environment, records: records, ignoresSilence: ignoringSilence)
        do throws(CheckerRounds.Failure) {
            return .success(try await rounds.ask([confirmer], question))
        } catch {
            return .failure(error.faults.first?.error ?? EndpointFault(kind: .noAnswer, fault: nobody))
        }
    }

    /// Combines a first answer with the answer of the role assignments.
    package func combine(
        _ answer: AccessAnswer,
        with outcome: Result<AccessAnswer, EndpointFault>
    ) -> AccessAnswer {
        guard case .required(let ceiling) = answer.confirmation else { return answer }
        switch outcome {
        case .success(let said):
            // A yes from either counts.
            guard let given = said.role.map({ min($0, ceiling) }), answer.role.map({ $0 < given }) ?? true else {
                return answer.with(.agreed)
            }
            return answer.with(.overruled, role: given)
        case .failure(let error) where isObstacle(error): return answer.with(.notPermitted(error.fault))
        case .failure(let error):
            let fault = AccessCheckFault(
                .roleUnconfirmed,
                detail: "\(answer.checker) says \(answer.role == nil ? "no" : "no administrator")",
                retryAfter: error.fault.retryAfter,
                setAside: [error.fault]
            )
            return answer.with(.unanswered(fault))
        }
    }

    /// Whether role assignments may not be read, or there is no route to Resource Manager and it has never answered
    /// since the start. A timeout is neither: the host may answer the next time.
    private func isObstacle(_ error: EndpointFault) -> Bool {
        guard error.fault.reason != .identityMayNotAsk else { return true }
        return error.hasNoRoute && confirmer.map { !records.hasServed($0.name) } ?? false
    }

    /// Whether refusals are confirmed, and the results so far.
    package var confirmationStatus: AzureStatus.Confirmations {
        confirmations.status(isOn: confirmer != nil, confirmer: confirmer.map { records.status(of: $0.name) })
    }

    /// The configured checkers, and the one that confirms, by name.
    package var names: [String] { all.map(\.name) }

    /// The checker that confirms; nil if `ConfirmRefusals=no`.
    package var confirmerName: String? { confirmer?.name }
}
