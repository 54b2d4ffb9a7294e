// SPDX-License-Identifier: Apache-2.0

/// One account in `entraloginctl users list` and `users show`.
package struct UserReport: Hashable, Sendable, Codable {
    package var name: String
    package var uid: UInt32
    package var objectID: String
    package var displayName: String
    package var home: String
    package var enrolledAt: Int64
    /// The name by which the machine knows it (`ShortNames=`); nil if that is `name`.
    package var shortName: String?
    package var retiredAt: Int64?
    /// When root locked it; nil if it is not locked.
    package var lockedAt: Int64?
    /// How long the administrators' grant in force still lasts; nil if there is none.
    package var administratorForSeconds: Int64?
    /// The last decision that is still known: `allow`, `deny`, or nil.
    package var lastDecision: String?
    package var lastDecisionAgeSeconds: Int64?
    /// When root added it before its user's first sign-in; nil if the first sign-in created it.
    package var addedAt: Int64?
    /// Over SSH; the enrolment counts, unless root added the account. Nil if none is known.
    package var lastSignInAt: Int64?
    /// The reason code with which this machine refuses the account, whatever Azure says: `account-retired`,
    /// `account-locked`, `local-account`, `home-refused`, `domain-not-allowed`. Nil if it does not.
    package var refusal: String?

    // In `users show` only.
    package var tenantID: String?
    package var shell: String?
    /// Former names, oldest first; refused for every user.
    package var formerNames: [String]?
    /// What caused the refusal, and what to do.
    package var refusalDetail: String?
    /// Why it has no short name although its domain's users have them; nil if it has one, or they have none.
    package var shortNameObstacle: String?
    /// `first-last`, filled in by the tool, which reads the files; nil if it has none.
    package var subordinateIDs: String?

    package init(name: String, uid: UInt32, objectID: String, displayName: String, home: String, enrolledAt: Int64) {
        self.name = name
        self.uid = uid
        self.objectID = objectID
        self.displayName = displayName
        self.home = home
        self.enrolledAt = enrolledAt
    }
}

/// The daemon's answer to `users add`.
package struct AddedUserReport: Hashable, Sendable, Codable {
    package var name: String
    package var uid: UInt32
    package var objectID: String
    package var home: String
    package var shell: String
    /// False if the account already existed, bound to the same object id.
    package var isNew: Bool
    /// As in `UserReport`.
    package var shortName: String?

    package init(
        name: String,
        uid: UInt32,
        objectID: String,
        home: String,
        shell: String,
        isNew: Bool,
        shortName: String? = nil
    ) {
        self.shortName = shortName
        self.name = name
        self.uid = uid
        self.objectID = objectID
        self.home = home
        self.shell = shell
        self.isNew = isNew
    }
}

/// A page of accounts, sorted by name: as many as fit in a frame.
package struct UsersReport: Hashable, Sendable, Codable {
    package var users: [UserReport]
    /// The name after which the next page begins; nil on the last one.
    package var next: String?

    package init(users: [UserReport], next: String? = nil) {
        self.users = users
        self.next = next
    }
}

/// One step of an explanation.
package struct ReportedStep: Hashable, Sendable, Codable {
    package enum Outcome: String, Sendable, Codable {
        case good
        case bad
        case unknown
        /// Not checked, because an earlier step decided.
        case skipped
    }

    /// What was checked, for example `Azure role`.
    package var title: String
    package var outcome: Outcome
    /// What was found, in one sentence.
    package var text: String
    package var remedy: String

    package init(_ title: String, _ outcome: Outcome, _ text: String, remedy: String = "") {
        self.title = title
        self.outcome = outcome
        self.text = text
        self.remedy = remedy
    }
}

/// `entraloginctl check-certificate FILE`: each rule and its result. Nothing is remembered.
package struct CertificateReport: Hashable, Sendable, Codable {
    package var isAcceptable: Bool
    /// A raw value of `DenialReason`; nil if it is acceptable.
    package var reason: String?
    package var text: String
    package var keyType: String?
    package var keyID: String?
    /// As text, because JSON readers round 64-bit numbers.
    package var serial: String?
    package var principals: [String] = []
    package var objectID: String?
    package var tenantID: String?
    package var validAfter: Int64?
    package var validBefore: Int64?
    /// `SHA256:…` of the key that signed it.
    package var authority: String?
    package var steps: [ReportedStep] = []

    package init(isAcceptable: Bool, text: String) {
        self.isAcceptable = isAcceptable
        self.text = text
    }
}
