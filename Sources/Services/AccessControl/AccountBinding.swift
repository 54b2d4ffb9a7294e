// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// An account whose name, uid and home are those that the caller has of it (P5, P6).
struct AccountBinding: Sendable {
    let account: Account
    /// Nil if the name is not enrolled yet.
    let enrolled: EnrolledAccount?
    /// The user to whom root's list of mapped accounts gives this name, even before their first sign-in.
    private let listed: MappedPerson?

    /// Looks the account up by `name`, before any identity is proved: `uid` and `home` must match its record.
    init(_ name: UserName, uid: UInt32, home: String, in accounts: any AccountsView) throws(Denial) {
        switch accounts.standing(of: name) {
        case .none(let denial): throw denial
        case .provisional(let provisional): (account, enrolled) = (provisional, nil)
        case .enrolled(let found):
            guard found.retiredAt == nil else { throw Denial(retired: found) }
            (account, enrolled) = (found.account, found)
        }
        listed = accounts.listed(name)
        guard account.name == name, account.systemUID == uid, account.home == home else {
            throw Denial(
                .recordChanged,
                detail: "the caller has uid \(uid) and home \(home),"
                    + " the account has \(account.systemUID) and \(account.home)"
            )
        }
    }

    /// Checks a proved identity: the name must be bound to it, or not be bound yet.
    func check(_ identity: DirectoryIdentity) throws(Denial) {
        if let enrolled, enrolled.identity != identity {
            throw Denial(enrolled, isNot: identity)
        }
        // Root's list binds a mapped account's name to an object id even before its first sign-in.
        if let listed, listed.objectID != identity.objectID {
            throw Denial(identity, isNot: listed)
        }
    }
}
