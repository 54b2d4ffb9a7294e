// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// Counts confirmations since the start.
final class ConfirmationTally: Sendable {
    private struct State {
        var agreed = 0
        var overruled = 0
        var notPermitted = 0
        var unanswered = 0
        var fault: AccessCheckFault?
        var lastOverruled: ObjectID?
    }

    private let state = Mutex(State())

    func note(_ answer: AccessAnswer, of objectID: ObjectID) {
        state.withLock { state in
            state.fault = nil
            switch answer.confirmation {
            case .notNeeded, .required: break
            case .agreed: state.agreed += 1
            case .overruled:
                state.overruled += 1
                state.lastOverruled = objectID
            case .notPermitted(let fault):
                state.notPermitted += 1
                state.fault = fault
            case .unanswered(let fault):
                state.unanswered += 1
                state.fault = fault
            }
        }
    }

    func status(isOn: Bool, confirmer: AzureStatus.Checker?) -> AzureStatus.Confirmations {
        state.withLock { state in
            AzureStatus.Confirmations(
                isOn: isOn,
                confirmer: confirmer,
                agreed: state.agreed,
                overruled: state.overruled,
                notPermitted: state.notPermitted,
                unanswered: state.unanswered,
                fault: state.fault,
                lastOverruled: state.lastOverruled
            )
        }
    }
}
