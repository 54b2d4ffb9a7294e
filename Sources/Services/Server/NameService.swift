// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity
package import Wire

/// Answers for names that the snapshot does not hold. No effects, no network (P3, P9).
package struct NameService: Sendable {
    private let registry: any AccountRegistry
    /// `ProvisionalCallers=`: the beginnings of commands.
    private let callers: [String]

    package init(registry: any AccountRegistry, provisionalCallers: [String]) {
        self.registry = registry
        callers = provisionalCallers
    }

    /// `command` is the comm of the asking process. A user who never signed in exists for sshd only: to chown, tar or a
    /// mail server, running as root, such a name is unknown.
    package func look(up name: String, for command: String) -> Response {
        let accounts = registry.view()
        guard let name = UserName(name) ?? accounts.wholeName(of: name) else { return .notFound }
        switch accounts.standing(of: name) {
        case .enrolled(let enrolled):
            return answer(enrolled.account)
        case .provisional(let account):
            return callers.contains(where: command.hasPrefix) ? answer(account) : .notFound
        case .none(let denial):
            return denial.isUndecided ? .unavailable : .notFound
        }
    }

    /// A mapped account's record is in the local files; only its groups are asked for here.
    private func answer(_ account: Account) -> Response {
        .account(account.mappedUID == nil ? account : account.forGroupsAlone)
    }
}
