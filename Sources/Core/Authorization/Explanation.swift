// SPDX-License-Identifier: Apache-2.0

/// What would happen to a person here, step by step, and why (`entraloginctl explain`).
package struct Explanation: Hashable, Sendable, Codable {
    package enum Outcome: String, Sendable, Codable {
        case ok
        case refused
        /// Cannot be known before the person signs in, or before somebody asks.
        case unknown
    }

    package struct Step: Hashable, Sendable, Codable {
        /// A stable word: `name`, `account`, `object`, `stack`, `machine`, `keys`, `role`, `sign-in`, `administrator`.
        package let subject: String
        package let outcome: Outcome
        /// One plain line.
        package let text: String
        /// What would help, or empty.
        package let remedy: String
        /// The reason code (`DenialReason`) of a refused step, or of what was refused to somebody else.
        package let reason: String?

        package init(_ subject: String, _ outcome: Outcome, _ text: String, remedy: String = "", reason: String? = nil)
        {
            self.subject = subject
            self.outcome = outcome
            self.text = text
            self.remedy = remedy
            self.reason = reason
        }

        /// A refused step.
        package init(_ subject: String, _ denial: Denial, remedy: String? = nil) {
            let detail = denial.detail.isEmpty ? "" : " (\(DenialText.clean(denial.detail)))"
            self.init(
                subject,
                .refused,
                DenialText.clean(denial.text) + detail,
                remedy: remedy ?? DenialText.remedy(for: denial.reason),
                reason: denial.reason.rawValue
            )
        }
    }

    /// The name that was asked about, as it was typed; quoted and bounded.
    package let name: String
    package let steps: [Step]

    package init(name: String, steps: [Step]) {
        self.name = name
        self.steps = steps
    }

    /// Refused where a step is; unknown where one is and none is refused.
    package var outcome: Outcome {
        if steps.contains(where: { $0.outcome == .refused }) { return .refused }
        return steps.contains(where: { $0.outcome == .unknown }) ? .unknown : .ok
    }
}
