// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// How often questions that nobody waits for are asked while Azure does not answer: less and less often, one account at a
/// time, and as before from the first answer to any question on. A user's own question is always asked.
final class BackgroundPace: Sendable {
    /// After the first fault, which may be chance, since nobody asked again: the next round does.
    static let first = Duration.seconds(150)
    /// Doubled with each further question that remains without an answer.
    static let shortest = Duration.seconds(300)
    /// A role's end that nothing else asks about is seen so late after an outage at most.
    static let longest = Duration.seconds(1800)

    private struct Silence {
        let fault: AccessCheckFault
        var questions = 0
        /// Until then nobody is asked about in the background.
        var nextAt: BootTime
    }

    private struct State {
        /// Of the role service, and of role assignments where these alone do not answer.
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

    /// Azure does not answer: a round over many accounts asks about one first.
    var isReduced: Bool { state.withLock { $0.role != nil || $0.confirmation != nil } }

    /// An answer to a question that was asked at `askedAt`. Where its confirmation has none, that alone is missing.
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

    /// A question of `askedAt` has no answer. Whatever is no outage has reached Azure.
    func note(_ fault: AccessCheckFault, askedAt: BootTime) {
        let isSilence = OfflinePolicy.isOutage(fault.reason) || fault.reason == .machineUnknown
        let next = time.bootTime().advanced(by: pause(after: 0))
        state.withLock { state in
            guard isSilence else {
                state.role = nil
                return
            }
            // Somebody else's question was answered meanwhile.
            guard state.role == nil, isLast(askedAt, state.lastAnswer) else { return }
            state.role = Silence(fault: fault, nextAt: next)
        }
    }

    /// Why a question in the background waits; nil where it is to be asked now. Then the next one waits, until an answer.
    /// `needsConfirmation`: as far as the person's last answer says.
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
