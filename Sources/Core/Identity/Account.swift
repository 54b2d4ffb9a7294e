// SPDX-License-Identifier: Apache-2.0

/// One passwd(5) record of ours. The password is always `*`, and the private group has the same name and number.
package struct Account: Hashable, Sendable {
    package let name: UserName
    package let uid: PosixID
    /// GECOS: the display name, cleaned of colons, commas, controls and newlines. May be empty.
    package let displayName: String
    /// Absolute path, at most 255 bytes, no `:`, no control characters, no `.` or `..` component.
    package let home: String
    /// Absolute path of the login shell.
    package let shell: String

    package init(name: UserName, uid: PosixID, displayName: String, home: String, shell: String) {
        self.name = name
        self.uid = uid
        self.displayName = displayName
        self.home = home
        self.shell = shell
    }
}

/// An account bound to a person for ever (P5): its uid and home never change hands, and nobody else gets its name.
package struct EnrolledAccount: Hashable, Sendable {
    package let account: Account
    package let identity: DirectoryIdentity
    package let enrolledAt: UnixTime
    /// When the administrator retired it; its name answers no more, and its uid is never given to anybody else.
    package let retiredAt: UnixTime?
    /// The names it had before the person was renamed in the directory, oldest first. They stay refused to everybody.
    package let formerNames: [UserName]

    package init(
        account: Account,
        identity: DirectoryIdentity,
        enrolledAt: UnixTime,
        retiredAt: UnixTime? = nil,
        formerNames: [UserName] = []
    ) {
        self.account = account
        self.identity = identity
        self.enrolledAt = enrolledAt
        self.retiredAt = retiredAt
        self.formerNames = formerNames
    }
}
