// SPDX-License-Identifier: Apache-2.0

package import Identity
internal import Integration

/// One entry of `[Overrides]`: whom it concerns, what they get, and `file:line`.
package struct OverriddenAccounts: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        /// As in the settings: `/srv/%l`.
        case home(String)
        case shell(String)
    }

    let who: AccountSelector
    let value: Value
    let place: String?

    package init(_ who: AccountSelector, _ value: Value, place: String?) {
        self.who = who
        self.value = value
        self.place = place
    }
}

/// Evaluates the homes and shells that `[Overrides]` gives to some new accounts: a fault keeps out the users it
/// concerns, so `explain` reports it for each. Valid entries are not listed; a fault that concerns no new user is a
/// warning.
struct OverridesRule: Sendable {
    let overrides: [OverriddenAccounts]

    func evaluate(_ machine: any EnvironmentView) -> [Finding] {
        overrides.flatMap { override in
            switch override.value {
            case .shell(let shell):
                guard let obstacle = ShellRule.obstacle(shell, machine) else { return [] as [Finding] }
                let needed = "a program that is installed"
                let remedy = "install it, or name another one there and systemctl reload entralogind"
                let what = "nobody signs in here for the first time: \(obstacle)"
                return [finding(override, what, .error, needed: needed, remedy: remedy, machine)]
            case .home(let template):
                return HomesRule(template: template).evaluate(machine).filter { $0.severity > .good }.map { home in
                    finding(override, home.found, home.severity, needed: home.needed, remedy: home.remedy, machine)
                }
            }
        }
    }

    private func finding(
        _ override: OverriddenAccounts,
        _ what: String,
        _ severity: Severity,
        needed: String,
        remedy: String,
        _ machine: any EnvironmentView
    ) -> Finding {
        let id: FindingID = if case .home = override.value { .overridesHome } else { .overridesShell }
        let concernsSomebody = concernsNewcomers(override.who, machine)
        let whom = concernsSomebody ? "\(override.who)" : "\(override.who), which concerns nobody new yet"
        return Finding(
            id,
            concernsSomebody ? severity : .warning,
            "for \(whom): \(what)",
            place: override.place,
            needed: needed,
            remedy: remedy
        )
    }

    /// False where all users whom the entry names have an account, which keeps its home and shell.
    private func concernsNewcomers(_ who: AccountSelector, _ machine: any EnvironmentView) -> Bool {
        switch who {
        case .domain: return true
        case .name(let name): return !accounts(machine).contains(name)
        case .group(let group):
            let known = accounts(machine)
            let text = (try? machine.text(of: "/etc/group")) ?? ""
            return text.lines.contains { line in
                let fields = line.split(separator: ":", omittingEmptySubsequences: false)
                guard fields.count > 3, fields[0] == group else { return false }
                let names = fields[3].split(separator: ",").compactMap { UserName(String($0)) }
                return names.contains { !known.contains($0) }
            }
        }
    }

    /// The names in the daemon's file of accounts, retired ones too.
    private func accounts(_ machine: any EnvironmentView) -> Set<UserName> {
        let text = (try? machine.text(of: CoveredDomains.accounts, limit: CoveredDomains.accountsLimit)) ?? ""
        return Set(
            text.lines.compactMap { line in
                let words = line.split(separator: " ", maxSplits: 2)
                return words.count > 1 && words[0] == "account" ? UserName(String(words[1])) : nil
            }
        )
    }
}
