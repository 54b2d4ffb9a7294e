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
    /// The number that a mapped account has instead, by the local files, which have the whole record; `uid` is then what
    /// grants and the store go by. Never stored.
    package let mappedUID: UInt32?
    /// The name that the system knows the account by, where that is not the whole one.
    package let shortName: ShortName?

    /// The name in passwd(5), in PAM, and on lines of files: `name` is what the daemon and its records go by.
    package var systemName: String { shortName?.text ?? name.text }

    /// The number that the system knows the account by.
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

    /// The same account by its whole name.
    package var withWholeName: Account {
        Account(name: name, uid: uid, displayName: displayName, home: home, shell: shell, mappedUID: mappedUID)
    }

    /// What the name service is told of a mapped account: a record for groups alone (ENTRALOGIN_GROUPS_ALONE).
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

/// An account bound to a person for ever (P5): its uid and home never change hands, and nobody else gets its name.
package struct EnrolledAccount: Hashable, Sendable {
    package internal(set) var account: Account
    package internal(set) var identity: DirectoryIdentity
    package let enrolledAt: UnixTime
    /// When the administrator retired it; its name answers no more, and its uid is never given to anybody else.
    package internal(set) var retiredAt: UnixTime?
    /// The names it had before the person was renamed in the directory, oldest first. They stay refused to everybody.
    package internal(set) var formerNames: [UserName]
    /// Since when the administrator has it locked: refused until it is unlocked. Name, uid and home stay its own.
    package internal(set) var lockedAt: UnixTime?
    /// Root added it: it was bound before its person ever signed in, by an object id that nobody had proved.
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

    /// The same account by its whole name.
    package var withWholeName: EnrolledAccount {
        var copy = self
        copy.account = account.withWholeName
        return copy
    }

    /// The same person's account as the local files have it.
    package func mapped(as local: MappedAccount) -> EnrolledAccount {
        var copy = self
        copy.account = account.mapped(as: local)
        return copy
    }
}
