// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// Backoff for background questions while Azure does not answer: they are asked less and less often, about one account
/// at a time. The first answer to any question ends the backoff. A user's own question is always asked.
final class BackgroundPace: Sendable {
    /// Pause after the first fault, which may be chance because it was not retried: the next round retries it.
    static let first = Duration.seconds(150)
    /// Doubled with each further unanswered question.
    static let shortest = Duration.seconds(300)
    /// Longest pause: after an outage, the end of a role that no other question shows is noticed within it.
    static let longest = Duration.seconds(1800)

    private struct Silence {
        let fault: AccessCheckFault
        var questions = 0
        /// No background question is asked before.
        var nextAt: BootTime
    }

    private struct State {
        /// `role`: the role service does not answer. `confirmation`: only the role assignments do not.
        var role: Silence?
        var confirmation: Silence?
        var lastAnswer: BootTime?
        var lastConfirmation: BootTime?
    }

    private let time: any TimeSource
    private let random: any RandomSource
    private let state = Mutex(State())

    init(time: any TimeSource, random: any RandomSource) {
        self.time = time
        self.random = random
    }

    /// True while Azure does not answer: a round over many accounts then asks about one first.
    var isReduced: Bool { state.withLock { $0.role != nil || $0.confirmation != nil } }

    /// Notes an answer to a question that was asked at `askedAt`. If its confirmation is unanswered, only that backs
    /// off.
    func note(_ answer: AccessAnswer, askedAt: BootTime) {
        let now = time.bootTime()
        let next = now.advanced(by: pause(after: 0))
        state.withLock { state in
            state.role = nil
            state.lastAnswer = now
            switch answer.confirmation {
            case .agreed, .overruled, .notPermitted:
                state.confirmation = nil
                state.lastConfirmation = now
            case .unanswered(let fault):
                guard state.confirmation == nil, isLast(askedAt, state.lastConfirmation) else { return }
                state.confirmation = Silence(fault: fault, nextAt: next)
            case .notNeeded, .required: break
            }
        }
    }

    /// Notes a fault of a question that was asked at `askedAt`. A fault that is no outage shows that Azure was reached.
    func note(_ fault: AccessCheckFault, askedAt: BootTime) {
        let isSilence = OfflinePolicy.isOutage(fault.reason) || fault.reason == .machineUnknown
        let next = time.bootTime().advanced(by: pause(after: 0))
        state.withLock { state in
            guard isSilence else {
                state.role = nil
                return
            }
            // Another question was answered meanwhile.
            guard state.role == nil, isLast(askedAt, state.lastAnswer) else { return }
            state.role = Silence(fault: fault, nextAt: next)
        }
    }

    /// Why a background question has to wait; nil if it may be asked now, and then the next one waits for a longer
    /// pause or an answer. `needsConfirmation`: whether the user's last answer needed one.
    func fault(needsConfirmation: Bool) -> AccessCheckFault? {
        let now = time.bootTime()
        return state.withLock { state in
            if let role = state.role {
                guard now >= role.nextAt else { return role.fault }
                state.role = later(role, now)
            } else if needsConfirmation, let confirmation = state.confirmation {
                guard now >= confirmation.nextAt else { return confirmation.fault }
                state.confirmation = later(confirmation, now)
            }
            return nil
        }
    }

    private func isLast(_ askedAt: BootTime, _ answeredAt: BootTime?) -> Bool {
        answeredAt.map { $0 < askedAt } ?? true
    }

    private func later(_ silence: Silence, _ now: BootTime) -> Silence {
        var silence = silence
        silence.questions = min(silence.questions + 1, 16)
        silence.nextAt = now.advanced(by: pause(after: silence.questions))
        return silence
    }

    /// Machines that lost Azure together do not come back to it together.
    private func pause(after questions: Int) -> Duration {
        let doubled = min(BackgroundPace.shortest * (1 << questions), BackgroundPace.longest)
        return random.jitter(questions == 0 ? BackgroundPace.first : doubled, atLeast: 0.75)
    }
}
