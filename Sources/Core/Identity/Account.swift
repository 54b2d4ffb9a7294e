// SPDX-License-Identifier: Apache-2.0

/// One passwd(5) record of an Entra account. The password is always `!*`, and the private group has the same name and
/// number.
package struct Account: Hashable, Sendable {
    package let name: UserName
    package let uid: PosixID
    /// GECOS: the display name, cleaned of colons, commas, controls and newlines. May be empty.
    package let displayName: String
    /// Absolute path, at most 255 bytes, no `:`, no control characters, no `.` or `..` component.
    package let home: String
    /// Absolute path of the login shell.
    package let shell: String
    /// The uid that a mapped account has instead, from the local files, which have its whole record; grants and the
    /// store still use `uid`. Never stored.
    package let mappedUID: UInt32?
    /// The name by which the system knows the account, if that is not the whole name.
    package let shortName: ShortName?

    /// The name in passwd(5), in PAM, and in lines of files; the daemon and its records use `name`.
    package var systemName: String { shortName?.text ?? name.text }

    /// The uid by which the system knows the account.
    package var systemUID: UInt32 { mappedUID ?? uid.number }

    package init(
        name: UserName,
        uid: PosixID,
        displayName: String,
        home: String,
        shell: String,
        mappedUID: UInt32? = nil,
        shortName: ShortName? = nil
    ) {
        self.shortName = shortName
        self.name = name
        self.uid = uid
        self.displayName = displayName
        self.home = home
        self.shell = shell
        self.mappedUID = mappedUID
    }

    /// The same account under its whole name.
    package var withWholeName: Account {
        Account(name: name, uid: uid, displayName: displayName, home: home, shell: shell, mappedUID: mappedUID)
    }

    /// The mapped account's record for the name service: for groups only (ENTRALOGIN_GROUPS_ALONE).
    package var forGroupsAlone: Account {
        Account(name: name, uid: uid, displayName: "", home: "//", shell: "//", mappedUID: mappedUID)
    }

    /// The same account as the local files have it.
    package func mapped(as local: MappedAccount) -> Account {
        Account(
            name: name,
            uid: uid,
            displayName: displayName,
            home: local.home,
            shell: local.shell,
            mappedUID: local.person.uid
        )
    }
}

/// An account permanently bound to one user (P5): its uid and home never change hands, and no other user gets its name.
package struct EnrolledAccount: Hashable, Sendable {
    package internal(set) var account: Account
    package internal(set) var identity: DirectoryIdentity
    package let enrolledAt: UnixTime
    /// When the administrator retired it; its name no longer resolves, and no other user ever gets its uid.
    package internal(set) var retiredAt: UnixTime?
    /// The names it had before its user was renamed in the directory, oldest first. They stay refused for every user.
    package internal(set) var formerNames: [UserName]
    /// When the administrator locked it: refused until it is unlocked. It keeps its name, uid and home.
    package internal(set) var lockedAt: UnixTime?
    /// Root added it: it was bound before its user ever signed in, to an object id that no sign-in had proved.
    package let isAdded: Bool

    package init(
        account: Account,
        identity: DirectoryIdentity,
        enrolledAt: UnixTime,
        retiredAt: UnixTime? = nil,
        formerNames: [UserName] = [],
        lockedAt: UnixTime? = nil,
        isAdded: Bool = false
    ) {
        self.lockedAt = lockedAt
        self.account = account
        self.identity = identity
        self.enrolledAt = enrolledAt
        self.retiredAt = retiredAt
        self.formerNames = formerNames
        self.isAdded = isAdded
    }

    /// The same account under its whole name.
    package var withWholeName: EnrolledAccount {
        var copy = self
        copy.account = account.withWholeName
        return copy
    }

    /// The same account as the local files have it.
    package func mapped(as local: MappedAccount) -> EnrolledAccount {
        var copy = self
        copy.account = account.mapped(as: local)
        return copy
    }
}
