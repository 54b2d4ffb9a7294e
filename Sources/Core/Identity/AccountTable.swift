// SPDX-License-Identifier: Apache-2.0

/// Why a binding cannot be made or changed (P5).
package enum AccountConflict: Error, Hashable, Sendable {
    /// The name belongs, or once belonged, to another user here.
    case nameBound(to: EnrolledAccount)
    /// The user has an account here, under another name.
    case identityBound(to: EnrolledAccount)
    /// The uid was assigned before; retired accounts keep theirs.
    case uidTaken(by: EnrolledAccount)
    /// Another account, retired or not, has that home.
    case homeTaken(by: EnrolledAccount)
    /// The account was retired.
    case retired(EnrolledAccount)
    /// There is no such account.
    case unknown
    /// `AccountTable.limit` accounts exist, or the account has `AccountTable.formerNameLimit` former names.
    case full
}

/// All accounts ever enrolled, by name, uid and identity: an immutable value. No account is ever removed, so no uid or
/// name becomes free; a home only when its account gets another (`changing`).
package struct AccountTable: Sendable {
    /// Accounts, retired ones included.
    package static let limit = 1_000_000
    package static let formerNameLimit = 32

    /// In the order of enrolment.
    package private(set) var accounts: [EnrolledAccount] = []
    private var byName: [UserName: Int] = [:]
    private var byFormerName: [UserName: Int] = [:]
    private var byUID: [UInt32: Int] = [:]
    private var byIdentity: [DirectoryIdentity: Int] = [:]
    private var byHome: [String: Int] = [:]
    /// By each short name that an account has, or may have had under a former name: none ever changes hands, even if
    /// another domain's users get short names later.
    private var byShortName: [ShortName: Int] = [:]

    package init() {}

    /// Builds the table from a stored list; throws at the first account that collides with an earlier one.
    package init(_ accounts: [EnrolledAccount]) throws(AccountConflict) {
        self.accounts.reserveCapacity(accounts.count)
        byName.reserveCapacity(accounts.count)
        byUID.reserveCapacity(accounts.count)
        byIdentity.reserveCapacity(accounts.count)
        byHome.reserveCapacity(accounts.count)
        for account in accounts { try append(account) }
    }

    package var retiredCount: Int { accounts.count { $0.retiredAt != nil } }

    /// The account with that name now, retired or not.
    package func account(named name: UserName) -> EnrolledAccount? { byName[name].map { accounts[$0] } }

    /// The account that had that name before its user was renamed.
    package func account(formerlyNamed name: UserName) -> EnrolledAccount? { byFormerName[name].map { accounts[$0] } }

    /// The account with that uid, retired or not.
    package func account(uid: UInt32) -> EnrolledAccount? { byUID[uid].map { accounts[$0] } }

    /// The account with that identity, retired or not.
    package func account(of identity: DirectoryIdentity) -> EnrolledAccount? {
        byIdentity[identity].map { accounts[$0] }
    }

    /// The account with that home, retired or not.
    package func account(home: String) -> EnrolledAccount? {
        byHome[HomePath.normalized(home)].map { accounts[$0] }
    }

    /// The account that has the short name, or may have had it, retired or not.
    package func account(called name: ShortName) -> EnrolledAccount? { byShortName[name].map { accounts[$0] } }

    /// The first `limit` accounts whose names come after `text`, by name, and whether they are the last. One pass over
    /// all accounts, without sorting them.
    package func page(after text: String, limit: Int) -> (accounts: [EnrolledAccount], isLast: Bool) {
        var page: [EnrolledAccount] = []
        var hasMore = false
        for account in accounts where account.account.name.text > text {
            if page.count == limit {
                hasMore = true
                guard let last = page.last, account.account.name < last.account.name else { continue }
                page.removeLast()
            }
            let place = page.firstIndex { account.account.name < $0.account.name } ?? page.endIndex
            page.insert(account, at: place)
        }
        return (page, !hasMore)
    }

    /// The table with one more account.
    package func adding(_ account: EnrolledAccount) throws(AccountConflict) -> AccountTable {
        var table = self
        try table.append(account)
        return table
    }

    /// The table in which that account is retired. Retiring it again changes nothing.
    package func retiring(_ name: UserName, at time: UnixTime) throws(AccountConflict) -> AccountTable {
        guard let index = byName[name] else { throw .unknown }
        guard accounts[index].retiredAt == nil else { return self }
        var table = self
        table.accounts[index].retiredAt = time
        return table
    }

    /// The table in which that account is locked from that time on, or, without a time, no longer locked. Locking a
    /// locked one again changes nothing.
    package func locking(_ name: UserName, at time: UnixTime?) throws(AccountConflict) -> AccountTable {
        guard let index = byName[name] else { throw .unknown }
        let old = accounts[index]
        guard old.retiredAt == nil else { throw .retired(old) }
        guard (old.lockedAt == nil) != (time == nil) else { return self }
        var table = self
        table.accounts[index].lockedAt = time
        return table
    }

    /// The table in which the account with that identity has a new name, or one of its own former names again; it keeps
    /// uid and home, and the old name stays refused.
    package func renaming(_ identity: DirectoryIdentity, to name: UserName) throws(AccountConflict) -> AccountTable {
        guard let index = byIdentity[identity] else { throw .unknown }
        let old = accounts[index]
        guard old.retiredAt == nil else { throw .retired(old) }
        guard old.account.name != name else { return self }
        if let holder = account(named: name) { throw .nameBound(to: holder) }
        if let holder = account(formerlyNamed: name), holder != old { throw .nameBound(to: holder) }
        let formerNames = old.formerNames.filter { $0 != name } + [old.account.name]
        guard formerNames.count <= Self.formerNameLimit else { throw .full }
        var table = self
        table.accounts[index].account = old.account.with(name: name, shortName: nil)
        if let former = ShortName(old.account.name.localPart), table.byShortName[former] == nil {
            table.byShortName[former] = index
        }
        table.accounts[index].formerNames = formerNames
        table.byName[old.account.name] = nil
        table.byFormerName[name] = nil
        table.byFormerName[old.account.name] = index
        table.byName[name] = index
        return table
    }

    /// The table in which that account has the short name of its whole name.
    package func shortening(_ name: UserName) throws(AccountConflict) -> AccountTable {
        guard let index = byName[name] else { throw .unknown }
        let old = accounts[index]
        guard old.retiredAt == nil else { throw .retired(old) }
        guard let short = ShortName(name.localPart), old.account.shortName != short else { return self }
        if let holder = account(called: short), holder != old { throw .nameBound(to: holder) }
        var table = self
        table.accounts[index].account = old.account.with(name: name, shortName: short)
        table.byShortName[short] = index
        return table
    }

    /// The table in which that account, retired or not, is bound to another object of the directory: the administrator
    /// vouches that it is the same user, deleted there and created again. With the account's own object it restores a
    /// retired account.
    package func rebinding(_ name: UserName, to identity: DirectoryIdentity) throws(AccountConflict) -> AccountTable {
        guard let index = byName[name] else { throw .unknown }
        if let holder = account(of: identity), holder.account.name != name { throw .identityBound(to: holder) }
        let old = accounts[index]
        var table = self
        table.accounts[index].identity = identity
        table.accounts[index].retiredAt = nil
        table.byIdentity[old.identity] = nil
        table.byIdentity[identity] = index
        return table
    }

    /// The table in which that account has another shell or home, as the administrator chose. A home that another
    /// account has, retired or not, is refused.
    package func changing(
        _ name: UserName,
        shell: String? = nil,
        home: String? = nil
    ) throws(AccountConflict) -> AccountTable {
        guard let index = byName[name] else { throw .unknown }
        let old = accounts[index]
        guard old.retiredAt == nil else { throw .retired(old) }
        if let home, let holder = account(home: home), holder != old { throw .homeTaken(by: holder) }
        var table = self
        table.accounts[index].account = old.account.with(shell: shell, home: home)
        if let home {
            table.byHome[HomePath.normalized(old.account.home)] = nil
            table.byHome[HomePath.normalized(home)] = index
        }
        return table
    }

    private mutating func append(_ new: EnrolledAccount) throws(AccountConflict) {
        guard accounts.count < Self.limit else { throw .full }
        let names = [new.account.name] + new.formerNames
        guard Set(names).count == names.count else { throw .nameBound(to: new) }
        for name in names {
            if let holder = account(named: name) ?? account(formerlyNamed: name) { throw .nameBound(to: holder) }
        }
        if let holder = account(of: new.identity) { throw .identityBound(to: holder) }
        if let holder = account(uid: new.account.uid.number) { throw .uidTaken(by: holder) }
        if let holder = account(home: new.account.home) { throw .homeTaken(by: holder) }
        if let short = new.account.shortName, let holder = account(called: short) { throw .nameBound(to: holder) }
        let index = accounts.count
        accounts.append(new)
        byName[new.account.name] = index
        for name in new.formerNames {
            byFormerName[name] = index
            if let former = ShortName(name.localPart), byShortName[former] == nil { byShortName[former] = index }
        }
        if let short = new.account.shortName { byShortName[short] = index }
        byUID[new.account.uid.number] = index
        byIdentity[new.identity] = index
        byHome[HomePath.normalized(new.account.home)] = index
    }
}

extension Account {
    fileprivate func with(name: UserName, shortName: ShortName?) -> Account {
        Account(name: name, uid: uid, displayName: displayName, home: home, shell: shell, shortName: shortName)
    }

    fileprivate func with(shell: String?, home: String?) -> Account {
        Account(
            name: name,
            uid: uid,
            displayName: displayName,
            home: home ?? self.home,
            shell: shell ?? self.shell,
            shortName: shortName
        )
    }
}
