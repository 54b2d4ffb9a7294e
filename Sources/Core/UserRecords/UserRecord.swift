// SPDX-License-Identifier: Apache-2.0

package import ByteCoding
package import Identity

/// The JSON of one account (systemd.io/USER_RECORD): what passwd(5) says of it, and nothing that passwd(5) does not.
/// There is no privileged section, so nothing is left out for anybody.
package struct UserRecord: Hashable, Sendable {
    package let account: Account
    /// The shared groups it is in; its private group is its primary one.
    package let memberOf: [String]

    package init(_ account: Account, memberOf: [String]) {
        self.account = account
        self.memberOf = memberOf
    }

    package var json: JSON {
        var members: [String: JSON] = [
            "userName": .string(account.name.text),
            "uid": .number(String(account.uid.number)),
            "gid": .number(String(account.uid.number)),
            "homeDirectory": .string(account.home),
            "shell": .string(account.shell),
            "disposition": .string("regular"),
            "service": .string(UserDatabase.service),
        ]
        if !account.displayName.isEmpty { members["realName"] = .string(account.displayName) }
        if !memberOf.isEmpty { members["memberOf"] = .array(memberOf.map { .string($0) }) }
        return .object(members)
    }
}

/// The JSON of one group (systemd.io/GROUP_RECORD). Who is in it is asked with `GetMemberships`: a group can have more
/// members than one message may have bytes.
package struct GroupRecord: Hashable, Sendable {
    package let name: String
    package let gid: UInt32

    package init(name: String, gid: UInt32) {
        self.name = name
        self.gid = gid
    }

    /// The private group of an account.
    package init(of account: Account) { self.init(name: account.name.text, gid: account.uid.number) }

    package var json: JSON {
        .object([
            "groupName": .string(name),
            "gid": .number(String(gid)),
            "disposition": .string("regular"),
            "service": .string(UserDatabase.service),
        ])
    }
}
