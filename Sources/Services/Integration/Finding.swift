// SPDX-License-Identifier: Apache-2.0

/// How much a finding matters.
package enum Severity: String, Sendable, Codable, Comparable {
    /// As it must be.
    case good
    /// Worth knowing; nothing to do.
    case note
    /// Something does not work as wished; nobody gets in who should not.
    case warning
    /// Somebody who may sign in is kept out while it stands, or will be from the next start on; or a promise does not hold.
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

/// Whom a state of the machine keeps out, whatever their names are.
package enum KeptOut: String, Sendable, Codable {
    case everybody
    /// Those who never signed in here.
    case newcomers
    /// Nobody yet; everybody from the next start of the daemon or of its sockets on.
    case later
    /// Something that is not asked here decides.
    case unknown
}

/// One thing that was looked at: what is there, what must be, how to fix it.
package struct Finding: Hashable, Sendable, Encodable {
    package var id: FindingID
    package var severity: Severity
    /// One sentence.
    package var found: String
    /// `file` or `file:line`; nil where no one file says it.
    package var place: String?
    /// What must be there; empty where the finding is good.
    package var needed: String
    /// What to do or type; empty where there is nothing to do.
    package var remedy: String
    /// Nil where it keeps nobody out, and where it depends on the person: that `explain` asks for each (`PersonCheck`).
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
