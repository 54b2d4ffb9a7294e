// SPDX-License-Identifier: Apache-2.0

package import Identity

// Refusals because of the account's identity (P5). The detail is for the machine's administrator and names the command
// to consider. That command changes nothing until the administrator confirms that it is the same person.

extension Denial {
    /// The sign-in has the account's name, but another object of the directory.
    package init(_ account: EnrolledAccount, isNot presented: DirectoryIdentity) {
        let bound = account.identity
        let tenants = bound.tenant == presented.tenant ? "" : " of tenant \(bound.tenant)"
        self.init(
            .objectIDChanged,
            detail: "\(account.account.name) is bound to \(bound.objectID)\(tenants), the certificate is for"
                + " \(presented.objectID); if that is the same person, made anew in Entra:"
                + " entraloginctl users rebind \(account.account.name) --object-id \(presented.objectID)"
        )
    }

    /// Root's list has this name for another object, or this object under another name.
    package init(_ identity: DirectoryIdentity, isNot listed: MappedPerson) {
        self.init(
            .objectIDChanged,
            detail: "\(listed.name) is object id \(listed.objectID) in \(MappingList.path), the certificate is for"
                + " \(identity.objectID)"
        )
    }

    /// The user signed in to Entra with a code, as a member of another tenant.
    package init(elsewhere detail: String) {
        let text = "You signed in with an account of another Entra tenant than this machine's"
        self.init(.wrongTenant, text: text, detail: detail)
    }

    /// The account was retired, and the sign-in is for the object to which it is still bound.
    package init(retired account: EnrolledAccount) {
        let name = account.account.name
        self.init(
            .accountRetired,
            detail: "\(name) was retired; if the same person is back:"
                + " entraloginctl users rebind \(name) --object-id \(account.identity.objectID)"
        )
    }

    /// The administrator has locked the account.
    package init(locked account: EnrolledAccount) {
        let since = account.lockedAt.map { " since \($0)" } ?? ""
        self.init(
            .accountLocked,
            detail: "locked\(since); to end that: entraloginctl users unlock \(account.account.name)"
        )
    }

    /// The name was the account's before Entra renamed its user.
    package init(formerName name: UserName, of account: EnrolledAccount) {
        let now = account.account.name
        self.init(
            .wrongName,
            text: "The account of this name has another name now",
            detail: "\(name) is called \(now) now; if Entra gave the same person the old name back:"
                + " entraloginctl users rename \(now) \(name)"
        )
    }
}
