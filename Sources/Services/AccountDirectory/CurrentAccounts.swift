// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity

/// The directory's state at one moment. It does not change any more; copying it copies no account.
package struct CurrentAccounts: AccountsView {
    struct State: Sendable {
        var table = AccountTable() {
            didSet { revision += 1 }
        }
        /// How often the table was set. The store's generation does not show it: after a fault the store is read again.
        private(set) var revision: UInt64 = 0
        var generation: UInt64 = 0
        var tenant: TenantID?
        var policy: AccountPolicy
        /// While it is set, no identity can be trusted.
        var fault: StoreFault?
        /// See `StandingRules.others`. Bounded by the range; forgotten at a restart, and found again.
        var others: Set<UInt32> = []
        /// See `StandingRules.heldNames`; bounded and forgotten in the same way.
        var heldNames: Set<ShortName> = []
        /// Accounts on disk that were never published: they may not sign in before they are.
        var unpublished: Set<UInt32> = []
        var storeWarning: String?
        var publicationWarning: String?
    }

    let state: State
    /// On failure, an Entra account cannot be told from a local one.
    let local: Result<LocalAccounts, Denial>

    func rules() throws(Denial) -> StandingRules {
        StandingRules(
            table: state.table,
            local: try local.get(),
            tenant: state.tenant,
            policy: state.policy,
            others: state.others,
            heldNames: state.heldNames,
            fault: state.fault
        )
    }

    package func standing(of name: UserName) -> AccountStanding { standing(of: name, joining: []) }

    /// `groups`: as `StandingRules` takes them.
    func standing(of name: UserName, joining groups: Set<String>) -> AccountStanding {
        do throws(Denial) { return try rules().standing(of: name, joining: groups) } catch { return .none(error) }
    }

    package func enrolled(uid: UInt32) -> EnrolledAccount? { readable.account(uid: uid).map(asSystemHasIt) }

    package func enrolled(named name: UserName) -> EnrolledAccount? {
        (readable.account(named: name) ?? readable.account(formerlyNamed: name)).map(asSystemHasIt)
    }

    package func enrolled(as identity: DirectoryIdentity) -> EnrolledAccount? {
        readable.account(of: identity).map(asSystemHasIt)
    }

    package func holder(ofSystemUID uid: UInt32) -> UIDHolder {
        if let mapped = try? local.get().mapped(uid: uid) {
            // A name that another object enrolled, or that its account gave up, does not belong to the mapped account.
            guard let account = enrolled(named: mapped.person.name), account.account.mappedUID == uid else {
                return .nobody
            }
            return .enrolled(account)
        }
        if let account = enrolled(uid: uid) { return .enrolled(account) }
        return PosixID(user: uid) == nil ? .other : .nobody
    }

    package func wholeName(of text: String) -> UserName? {
        guard let domain = state.policy.shortNameDomain, let short = ShortName(text),
            let name = UserName(short, in: domain)
        else { return nil }
        if let holder = readable.account(named: name) { return holder.account.shortName == short ? name : nil }
        guard case .provisional(let account) = standing(of: name) else { return nil }
        return account.shortName == short ? name : nil
    }

    /// Why the account has no short name though users of its domain have one; nil where it has one, or they have none.
    package func obstacleToShortName(of account: Account) -> String? {
        guard account.shortName == nil, state.policy.hasShortNames(of: account.name.domain), let rules = try? rules()
        else {
            return nil
        }
        return rules.shortName(for: account.name).obstacle
    }

    package func listed(_ name: UserName) -> MappedPerson? { try? local.get().listed(named: name) }

    /// Includes retired accounts.
    package func allEnrolled() -> [EnrolledAccount] { readable.accounts }

    /// The first `limit` accounts whose names come after `text`, by name, and whether there are more; retired ones
    /// included.
    package func enrolled(after text: String, limit: Int) -> (accounts: [EnrolledAccount], isLast: Bool) {
        let page = readable.page(after: text, limit: limit)
        return (page.accounts.map(asSystemHasIt), page.isLast)
    }

    /// The account under its present name; a mapped account with the number, home and shell that the local files have.
    func asSystemHasIt(_ enrolled: EnrolledAccount) -> EnrolledAccount {
        let enrolled = state.policy.asCalledNow(enrolled)
        guard let local = try? local.get() else { return enrolled }
        return StandingRules.mapping(of: enrolled, in: local).map(enrolled.mapped(as:)) ?? enrolled
    }

    /// Empty where the store cannot be trusted.
    private var readable: AccountTable { state.fault == nil ? state.table : AccountTable() }
}
