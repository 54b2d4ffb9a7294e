// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// An account that is what sshd took it for (P5, P6).
struct AccountBinding: Sendable {
    let account: Account
    /// Nil where nobody has the account yet.
    let enrolled: EnrolledAccount?
    /// Who has the name by root's list, whether they ever came or not.
    private let listed: AdoptedPerson?

    /// The account of `name` as far as nobody's identity is needed: `uid` and `home` must be its own.
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

    /// Somebody's identity is proved: the name must be bound to it, or to nobody yet.
    func check(_ identity: DirectoryIdentity) throws(Denial) {
        if let enrolled, enrolled.identity != identity {
            throw Denial(enrolled, isNot: identity)
        }
        // Root has said whose an adopted name is before its person ever came.
        if let listed, listed.objectID != identity.objectID {
            throw Denial(identity, isNot: listed)
        }
    }
}
