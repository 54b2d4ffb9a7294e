// SPDX-License-Identifier: Apache-2.0

/// The package that people come from.
package enum OldPackage: String, Sendable, Codable, CaseIterable {
    /// Certificates over SSH.
    case aadsshlogin
    /// Device code, through PAM.
    case aadlogin
}

/// Why nobody should begin yet.
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

/// One account, and what brings its home and shell over.
package struct MigratedPerson: Hashable, Sendable, Codable {
    package var name: String
    package var objectID: String
    package var oldUID: UInt32
    /// The account's number with entralogin; nil until the person has signed in.
    package var uid: UInt32?
    /// The old number is theirs with entralogin, too.
    package var keepsNumber = false
    /// What `--apply` adds to /etc/passwd and /etc/group for that; nil where it adds nothing.
    package var passwdLine: String?
    package var groupLine: String?
    package var home: String
    package var shell: String
    /// For a user who has a number of entralogin's range already. To be run as root, in this order; empty where
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

/// An Entra account, as far as a plan needs it.
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

/// What leads from Microsoft's package to entralogin on this machine. Nothing is changed by it.
package struct MigrationPlan: Sendable, Codable {
    package var from: OldPackage
    /// The data do not contradict.
    package var isReady: Bool
    /// False where the daemon did not say who has signed in with entralogin.
    package var isComparedWithOurs = true
    package var people: [MigratedPerson] = []
    package var conflicts: [MigrationConflict] = []
    /// `file:line` of all that calls the old programs: what has to go, or to be taken away by removing the package.
    package var oldLines: [String] = []
    /// The old group of administrators is in /etc/group, where it would win against entralogin's of that name.
    package var hasLocalAdministratorsGroup = false
    /// `file:line` of sudo's rules that name the old group of administrators.
    package var sudoRules: [String] = []

    package init(from package: OldPackage, isReady: Bool) {
        from = package
        self.isReady = isReady
    }
}
