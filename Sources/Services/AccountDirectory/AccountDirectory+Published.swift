// SPDX-License-Identifier: Apache-2.0

internal import Authorization
package import Identity
internal import Synchronization
package import UserRecords

/// What the published file says, for clients that ask the daemon instead: the same accounts, with the same
/// administrators.
extension AccountDirectory: PublishedAccounts {
    package var isSound: Bool { state.withLock { $0.fault == nil } }

    package var groups: SharedGroups {
        let policy = state.withLock { $0.policy }
        let taken = (try? localAccounts().get())?.groupNames ?? [policy.usersGroupName, policy.administratorsGroupName]
        func free(_ name: String) -> String? { taken.contains(name) ? nil : name }
        return SharedGroups(
            users: free(policy.usersGroupName),
            administrators: free(policy.administratorsGroupName),
            enumerate: policy.enumerate
        )
    }

    package func account(named name: UserName) -> Account? { visible { $0.account(named: name) } }

    package func account(uid: UInt32) -> Account? { visible { $0.account(uid: uid) } }

    package func everybody() -> [Account] { isSound ? publisher.accounts : [] }

    package func administrators() -> [Account] {
        grants.current().keys.sorted().compactMap { account(uid: $0.number) }
    }

    package func isAdministrator(_ account: Account) -> Bool { grants.current()[account.uid] != nil }

    /// The account, unless it is retired, a local one's or shadowed by one, or not published yet.
    private func visible(_ find: (AccountTable) -> EnrolledAccount?) -> Account? {
        let state = self.state.withLock { $0 }
        guard state.fault == nil, let found = find(state.table), found.retiredAt == nil,
            !state.unpublished.contains(found.account.uid.number), let local = try? localAccounts().get(),
            rules(state, local).shadow(of: found) == nil, StandingRules.adoption(of: found, in: local) == nil
        else { return nil }
        return found.account
    }
}
