// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// One endpoint to ask in rounds: `EndpointChecker.ask` with any type of answer.
struct EndpointCall<Answer: Sendable>: Sendable {
    let name: String
    let ask: @Sendable (AccessQuestion, _ attemptTime: Duration) async throws(EndpointFault) -> Answer
}

/// Asks several endpoints one question, round by round: each is asked once before any is asked again. Ends when one
/// answers, none is worth another attempt, or the deadline has passed.
struct CheckerRounds: Sendable {
    /// The least time one attempt gets.
    private static let leastAttemptTime = Duration.seconds(1)
    /// The most while others are left: a question runs longer than a user who signs in over SSH waits for it.
    private static let longestAttemptTime = Duration.seconds(4)
    /// Connections dropped without an answer after which the endpoint counts as not reached.
    private static let droppedAttempts = 3

    /// No endpoint answered: the last fault of each, in the order of the endpoints.
    struct Failure: Error {
        var faults: [(name: String, error: EndpointFault)] = []
    }

    let environment: AzureEnvironment
    let records: CheckerRecords
    let policy = RetryPolicy.interactive
    /// Ask even an endpoint that asked not to be called: for an administrator's own question.
    var ignoresSilence = false

    func ask(
        _ checkers: [any EndpointChecker],
        _ question: AccessQuestion
    ) async throws(Failure) -> AccessAnswer {
        let calls = checkers.map { checker in
            EndpointCall(name: checker.name) { (question, attemptTime) async throws(EndpointFault) in
                try await checker.ask(question, attemptTime: attemptTime)
            }
        }
        return try await ask(calls, question)
    }

    func ask<Answer>(
        _ checkers: [EndpointCall<Answer>],
        _ question: AccessQuestion
    ) async throws(Failure) -> Answer {
        var errors: [String: EndpointFault] = [:]
        var drops: [String: Int] = [:]
        var round = 1
        while true {
            let asked = checkers.filter { errors[$0.name].map(isWorthRepeating) ?? true }
            for (index, checker) in asked.enumerated() {
                do throws(EndpointFault) {
                    return try await ask(checker, question, othersLeft: asked.count - 1 - index, &drops)
                } catch {
                    errors[checker.name] = error
                    if error.kind == .everywhere { throw failure(checkers, errors) }
                }
            }
            guard !Task.isCancelled, question.isRetried(), let next = next(after: round, errors),
                next < question.deadline
            else {
                throw failure(checkers, errors)
            }
            await environment.time.sleep(until: next)
            round += 1
        }
    }

    private func ask<Answer>(
        _ checker: EndpointCall<Answer>,
        _ question: AccessQuestion,
        othersLeft: Int,
        _ drops: inout [String: Int]
    ) async throws(EndpointFault) -> Answer {
        let start = environment.time.bootTime()
        if !ignoresSilence, let fault = records.silence(of: checker.name, at: start) {
            throw EndpointFault(kind: .transient, fault: fault)
        }
        guard start < question.deadline else {
            let fault = AccessCheckFault(.unreachable, detail: "no time was left to ask \(checker.name)")
            throw EndpointFault(kind: .noAnswer, fault: fault)
        }
        // Each host gets a share of the time, so that a silent one leaves some for the others.
        var share = start.duration(to: question.deadline) / (othersLeft + 1)
        if othersLeft > 0 { share = min(share, Self.longestAttemptTime) }
        do throws(EndpointFault) {
            let answer = try await checker.ask(question, max(share, Self.leastAttemptTime))
            records.noteAnswer(of: checker.name, since: start)
            return answer
        } catch {
            var error = error
            if error.kind == .dropped {
                drops[checker.name, default: 0] += 1
                if drops[checker.name, default: 0] >= Self.droppedAttempts { error = .notReached(error.fault) }
            }
            // A cancelled caller says nothing about the endpoint.
            if !Task.isCancelled { records.note(error, of: checker.name, since: start) }
            throw error
        }
    }

    private func isWorthRepeating(_ error: EndpointFault) -> Bool { error.kind == .transient || error.kind == .dropped }

    /// When the first endpoint may be asked again; nil if none is worth it.
    private func next(after round: Int, _ errors: [String: EndpointFault]) -> BootTime? {
        let now = environment.time.bootTime()
        let jitter = environment.jitter()
        let waits = errors.values.filter(isWorthRepeating).compactMap { error in
            policy.wait(afterAttempt: round, retryAfter: error.fault.retryAfter, jitter: jitter)
        }
        return waits.min().map { now.advanced(by: $0) }
    }

    private func failure<Answer>(_ checkers: [EndpointCall<Answer>], _ errors: [String: EndpointFault]) -> Failure {
        Failure(faults: checkers.compactMap { checker in errors[checker.name].map { (checker.name, $0) } })
    }
}
