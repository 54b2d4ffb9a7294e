// SPDX-License-Identifier: Apache-2.0

/// A user, group or service principal with a login role on this machine.
package struct AccessEntry: Hashable, Sendable, Codable {
    package var objectID: String
    /// As Azure says it: `User`, `Group`, `ServicePrincipal`, …; `unknown` where it does not.
    package var kind: String
    /// `user` or `administrator`.
    package var role: String
    /// The account of that object here; nil where it never signed in.
    package var name: String?
    /// Where it is assigned: the machine, or what lies above it; at most four of them.
    package var scopes: [String]

    package init(objectID: String, kind: String, role: String, name: String? = nil, scopes: [String]) {
        self.objectID = objectID
        self.kind = kind
        self.role = role
        self.name = name
        self.scopes = scopes
    }
}

/// `entraloginctl access`: who has a login role, by role assignments. Groups are not expanded.
package struct AccessReport: Hashable, Sendable, Codable {
    /// Nil while this machine does not know what it is.
    package var resource: String?
    /// At most 200.
    package var entries: [AccessEntry] = []
    package var total = 0
    /// Assignments of a login role with a condition; they count for nothing here.
    package var conditional = 0
    /// Deny assignments at or above the machine, which override the roles of the principals that they name.
    package var denials = 0
    /// Why there is no list, and what to do.
    package var fault: String?
    package var remedy: String?

    package init() {}
}

/// The settings in force in the daemon: `Section.Key` and its value, without secrets.
package struct SettingsInForce: Hashable, Sendable, Codable {
    package var values: [String: String]

    package init(values: [String: String]) { self.values = values }
}
