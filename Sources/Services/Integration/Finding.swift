// SPDX-License-Identifier: Apache-2.0

/// How much a finding matters.
package enum Severity: String, Sendable, Codable, Comparable {
    /// As it must be.
    case good
    /// Worth knowing; nothing to do.
    case note
    /// Something does not work as intended; no user gets in who should not.
    case warning
    /// A user who may sign in is kept out, now or from the next start on; or a promise does not hold.
    case error

    private var rank: Int {
        switch self {
        case .good: 0
        case .note: 1
        case .warning: 2
        case .error: 3
        }
    }

    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// The users whom a state of the machine keeps out, whatever their names are.
package enum KeptOut: String, Sendable, Codable {
    case everybody
    /// Users who have never signed in here.
    case newcomers
    /// No user yet; every user from the next start of the daemon or of its sockets on.
    case later
    /// It depends on something that is not evaluated here.
    case unknown
}

/// One result of a check: what is there, what must be, how to fix it.
package struct Finding: Hashable, Sendable, Encodable {
    package var id: FindingID
    package var severity: Severity
    /// One sentence.
    package var found: String
    /// `file` or `file:line`; nil if it is not about one file.
    package var place: String?
    /// What must be there; empty for a good finding.
    package var needed: String
    /// What to do or type; empty if there is nothing to do.
    package var remedy: String
    /// Nil if it keeps no user out, or if that depends on the user: `explain` evaluates it for each (`PersonCheck`).
    package var keepsOut: KeptOut?

    package init(
        _ id: FindingID,
        _ severity: Severity,
        _ found: String,
        place: String? = nil,
        needed: String = "",
        remedy: String = "",
        keepsOut: KeptOut? = nil
    ) {
        self.keepsOut = keepsOut
        self.id = id
        self.severity = severity
        self.found = found
        self.place = place
        self.needed = needed
        self.remedy = remedy
    }
}
