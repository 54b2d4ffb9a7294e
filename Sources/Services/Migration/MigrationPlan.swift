// SPDX-License-Identifier: Apache-2.0

/// The package to migrate from.
package enum OldPackage: String, Sendable, Codable, CaseIterable {
    /// Certificates over SSH.
    case aadsshlogin
    /// Device code, through PAM.
    case aadlogin
}

/// Why the migration should not begin yet.
package struct MigrationConflict: Hashable, Sendable, Codable {
    /// `file` or `file:line`.
    package var place: String
    package var text: String
    package var remedy: String

    package init(place: String, text: String, remedy: String) {
        self.place = place
        self.text = text
        self.remedy = remedy
    }
}

/// One account, and the steps that carry over its home and shell.
package struct MigratedPerson: Hashable, Sendable, Codable {
    package var name: String
    package var objectID: String
    package var oldUID: UInt32
    /// The account's number with entralogin; nil until the user has signed in.
    package var uid: UInt32?
    /// The account keeps its old number with entralogin.
    package var keepsNumber = false
    /// The lines that `--apply` adds to /etc/passwd and /etc/group for that; nil if it adds none.
    package var passwdLine: String?
    package var groupLine: String?
    package var home: String
    package var shell: String
    /// Commands for a user who already has a number of entralogin's range, to be run as root in this order; empty if
    /// nothing is left to do.
    package var commands: [String]

    package init(
        name: String,
        objectID: String,
        oldUID: UInt32,
        uid: UInt32?,
        home: String,
        shell: String,
        commands: [String] = []
    ) {
        self.name = name
        self.objectID = objectID
        self.oldUID = oldUID
        self.uid = uid
        self.home = home
        self.shell = shell
        self.commands = commands
    }
}

/// The fields of an Entra account that a plan needs.
package struct KnownAccount: Sendable {
    package var name: String
    package var objectID: String
    package var uid: UInt32
    package var home: String

    package init(name: String, objectID: String, uid: UInt32, home: String) {
        self.name = name
        self.objectID = objectID
        self.uid = uid
        self.home = home
    }
}

/// The plan for a migration from Microsoft's package to entralogin. Making it changes nothing.
package struct MigrationPlan: Sendable, Codable {
    package var from: OldPackage
    /// There are no conflicts.
    package var isReady: Bool
    /// False if the daemon did not report who has signed in with entralogin.
    package var isComparedWithOurs = true
    package var people: [MigratedPerson] = []
    package var conflicts: [MigrationConflict] = []
    /// `file:line` of every line that calls the old programs: to be removed by hand or with the package.
    package var oldLines: [String] = []
    /// The old administrators' group is in /etc/group, where it would take precedence over entralogin's group of that
    /// name.
    package var hasLocalAdministratorsGroup = false
    /// `file:line` of sudo's rules that name the old administrators' group.
    package var sudoRules: [String] = []

    package init(from package: OldPackage, isReady: Bool) {
        from = package
        self.isReady = isReady
    }
}
