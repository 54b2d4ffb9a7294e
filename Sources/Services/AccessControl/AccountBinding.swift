// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity

/// Holds what sshd took for an account against what it is, or will be (P5, P6).
struct AccountBinding: Sendable {
    let accounts: any AccountRegistry

    /// The account of `name` as far as nobody's identity is needed: `uid` and `home` must be its own.
    func account(named name: UserName, uid: UInt32, home: String) throws(Denial) -> (Account, EnrolledAccount?) {
        let account: Account
        let enrolled: EnrolledAccount?
        switch accounts.standing(of: name) {
        case .none(let denial): throw denial
        case .provisional(let provisional): (account, enrolled) = (provisional, nil)
        case .enrolled(let found):
            guard found.retiredAt == nil else { throw Denial(retired: found) }
            (account, enrolled) = (found.account, found)
        }
        guard account.name == name, account.systemUID == uid, account.home == home else {
            throw Denial(
                .recordChanged,
                detail: "the caller has uid \(uid) and home \(home),"
                    + " the account has \(account.systemUID) and \(account.home)"
            )
        }
        return (account, enrolled)
    }

    /// The same for somebody whose identity is proved: an enrolled name must be bound to it.
    func account(
        named name: UserName,
        uid: UInt32,
        home: String,
        of identity: DirectoryIdentity
    ) throws(Denial) -> Account {
        let (account, enrolled) = try self.account(named: name, uid: uid, home: home)
        if let enrolled, enrolled.identity != identity {
            throw Denial(enrolled, isNot: identity)
        }
        // Root has said whose an adopted name is before its person ever came.
        if let listed = accounts.listed(name), listed.objectID != identity.objectID {
            throw Denial(identity, isNot: listed)
        }
        return account
    }
}
