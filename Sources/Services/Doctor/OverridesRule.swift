// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// One entry of `[Overrides]`: whom it concerns, as it is written there, what they get, and `file:line`.
package enum OverriddenAccounts: Hashable, Sendable {
    case home(String, String, place: String?)
    case shell(String, String, place: String?)
}

/// Evaluates the homes and shells that some accounts get when they are made (`[Overrides]`): what is wrong with one keeps out
/// whom it concerns, so `explain` says it of each. What is right is not listed.
struct OverridesRule: Sendable {
    let overrides: [OverriddenAccounts]

    func evaluate(_ machine: any EnvironmentView) -> [Finding] {
        overrides.flatMap { override -> [Finding] in
            switch override {
            case .shell(let who, let shell, let place):
                guard let obstacle = ShellRule.obstacle(shell, machine) else { return [] }
                let what = "\(who) in [Overrides] cannot sign in here for the first time: \(obstacle)"
                return [finding("shell", .error, what, place, "install it, or name another one there")]
            case .home(let who, let template, let place):
                let found = HomesRule(template: template).evaluate(machine).filter { $0.severity > .good }
                return found.map { home in
                    finding(
                        "home",
                        home.severity,
                        "\(who) in [Overrides]: \(home.found)",
                        home.place ?? place,
                        home.remedy
                    )
                }
            }
        }
    }

    private func finding(
        _ kind: String,
        _ severity: Severity,
        _ what: String,
        _ place: String?,
        _ remedy: String
    ) -> Finding {
        let needed =
            kind == "shell" ? "a program that is installed" : "folders that root owns and no other may write, with room"
        return Finding("overrides.\(kind)", severity, what, place: place, needed: needed, remedy: remedy)
    }
}
