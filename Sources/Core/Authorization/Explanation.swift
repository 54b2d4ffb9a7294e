// SPDX-License-Identifier: Apache-2.0

package import Identity

/// What this machine would decide about a user, step by step, and why (`entraloginctl explain`).
package struct Explanation: Hashable, Sendable, Codable {
    package enum Outcome: String, Sendable, Codable {
        case ok
        case refused
        /// Cannot be known before the user signs in, or before Azure is asked.
        case unknown
    }

    package struct Step: Hashable, Sendable, Codable {
        /// A stable word: `name`, `account`, `object`, `attempt`, `stack`, `machine`, `keys`, `role`, `sign-in`,
        /// `administrator`; of the machine around: `sshd`, `shell`, `home`, `nologin`, `pam`.
        package let subject: String
        package let outcome: Outcome
        /// One plain line.
        package let text: String
        /// What would help, or empty.
        package let remedy: String
        /// The reason code (`DenialReason`) of a refused step, or of an earlier refused attempt.
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
                remedy: remedy ?? Explanation.remedy(for: denial.reason),
                reason: denial.reason.rawValue
            )
        }
    }

    /// The account as sshd finds it in the name service.
    package struct Account: Hashable, Sendable, Codable {
        package let name: String
        package let uid: UInt32
        package let home: String
        package let shell: String
        /// True for an enrolled account: it has a group of its own, and every program can look up its record.
        package let isEnrolled: Bool

        package init(name: String, uid: UInt32, home: String, shell: String, isEnrolled: Bool) {
            self.name = name
            self.uid = uid
            self.home = home
            self.shell = shell
            self.isEnrolled = isEnrolled
        }
    }

    /// The name that was asked about, as it was typed; quoted and bounded.
    package let name: String
    package var steps: [Step]
    /// Nil where the name has no account here.
    package var account: Account?
    /// True for a local account, about which entralogin decides nothing; nil otherwise.
    package var isLocal: Bool?

    package init(name: String, steps: [Step], account: Account? = nil) {
        self.name = name
        self.steps = steps
        self.account = account
    }

    /// What helps the machine's administrator, who reads this.
    package static func remedy(for reason: DenialReason, resource: ResourceID? = nil) -> String {
        if let own = DenialText.remedyForRoot(reason) { return own }
        let text = DenialText.remedy(for: reason, resource: resource)
        let toAdministrator = "this machine's administrator finds the remedy with "
        guard text.hasPrefix(toAdministrator) else { return text }
        if reason == .homeRefused { return "ls -ld of that path; users set-home gives an account another" }
        return reason == .objectIDChanged
            ? "see the step object" : "\(text.dropFirst(toAdministrator.count)) names the cause"
    }

    /// `refused` if any step is; otherwise `unknown` if any step is.
    package var outcome: Outcome {
        if steps.contains(where: { $0.outcome == .refused }) { return .refused }
        return steps.contains(where: { $0.outcome == .unknown }) ? .unknown : .ok
    }
}

extension Explanation {
    private enum CodingKeys: String, CodingKey { case name, steps, account, isLocal, outcome }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decode(String.self, forKey: .name)
        steps = try fields.decode([Step].self, forKey: .steps)
        account = try fields.decodeIfPresent(Account.self, forKey: .account)
        isLocal = try fields.decodeIfPresent(Bool.self, forKey: .isLocal)
    }

    /// With `outcome`, which programs read; it follows from the steps, so it is not decoded.
    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(name, forKey: .name)
        try fields.encode(steps, forKey: .steps)
        try fields.encodeIfPresent(account, forKey: .account)
        try fields.encodeIfPresent(isLocal, forKey: .isLocal)
        try fields.encode(outcome, forKey: .outcome)
    }
}
