// SPDX-License-Identifier: Apache-2.0

/// One access checker's answer about a user, asked now.
package struct CheckerAnswer: Hashable, Sendable, Codable {
    /// `pas`, `arm`, `arm-roleassignments`.
    package var checker: String
    /// `user`, `administrator`, or `none` for a no; nil where it gave no answer.
    package var role: String?
    /// Why it gave no answer: a reason code, and in words.
    package var reason: String?
    package var text: String?
    package var remedy: String?
    package var latencyMilliseconds: Int64
    /// The id of the question, which Azure's logs have, too.
    package var correlationID: String

    package init(checker: String, latencyMilliseconds: Int64, correlationID: String) {
        self.checker = checker
        self.latencyMilliseconds = latencyMilliseconds
        self.correlationID = correlationID
    }
}

/// What Entra says of the account itself now.
package struct AccountAnswer: Hashable, Sendable, Codable {
    /// `enabled`, `disabled`, `absent`; nil where there is no answer.
    package var state: String?
    /// Why there is none: a reason code, and in words.
    package var reason: String?
    package var text: String?
    package var remedy: String?
    package var latencyMilliseconds: Int64

    package init(latencyMilliseconds: Int64) { self.latencyMilliseconds = latencyMilliseconds }
}

/// `entraloginctl check NAME`: every configured checker is asked, whatever is cached. It lets nobody in.
package struct RoleCheckReport: Hashable, Sendable, Codable {
    package var name: String
    package var objectID: String
    /// The resource that was asked about; nil while this machine does not know what it is.
    package var resource: String?
    /// In the order in which they count.
    package var answers: [CheckerAnswer] = []
    /// Nil where Entra is not asked: `CheckAccountEnabled=no`.
    package var account: AccountAnswer?
    /// The role that a sign-in would get: `user`, `administrator`, `none`, or nil for undecided, which is a no. It is
    /// `none` for a disabled or deleted account, otherwise the first answer in that order, and role assignments where
    /// they confirm it.
    package var role: String?
    /// How the first answer was confirmed: `not-needed`, `agreed`, `overruled`, `not-permitted`, `unanswered`; nil
    /// where no checker answered.
    package var confirmation: String?
    /// True if two checkers gave different roles.
    package var isDisputed = false

    package init(name: String, objectID: String) {
        self.name = name
        self.objectID = objectID
    }
}

/// One session that sshd opened for an Entra user.
package struct SessionReport: Hashable, Sendable, Codable {
    package var name: String
    package var uid: UInt32
    /// The sshd process that holds it.
    package var pid: Int32
    package var openedAt: Int64
    /// True where it began with the administrators' group.
    package var isAdministrator: Bool

    package init(name: String, uid: UInt32, pid: Int32, openedAt: Int64, isAdministrator: Bool) {
        self.name = name
        self.uid = uid
        self.pid = pid
        self.openedAt = openedAt
        self.isAdministrator = isAdministrator
    }
}

/// `entraloginctl sessions`: those that the daemon opened, oldest first; at most 256.
package struct SessionsReport: Hashable, Sendable, Codable {
    package var sessions: [SessionReport]
    /// The number of all of them, listed or not.
    package var total: Int

    package init(sessions: [SessionReport], total: Int) {
        self.sessions = sessions
        self.total = total
    }
}

/// A process that an account's session started under another uid, and that was left alone.
package struct OtherProcessReport: Hashable, Sendable, Codable {
    package var pid: Int32
    package var uid: UInt32
    /// As the kernel names it.
    package var command: String

    package init(pid: Int32, uid: UInt32, command: String) {
        self.pid = pid
        self.uid = uid
        self.command = command
    }
}

/// `entraloginctl sessions end`.
package struct EndedSessionsReport: Hashable, Sendable, Codable {
    package var name: String
    package var uid: UInt32
    /// Processes.
    package var ended: Int
    /// Processes of that uid that were still alive some seconds later.
    package var left: Int
    /// At most 32.
    package var others: [OtherProcessReport]

    package init(name: String, uid: UInt32, ended: Int, left: Int, others: [OtherProcessReport]) {
        self.name = name
        self.uid = uid
        self.ended = ended
        self.left = left
        self.others = others
    }
}

/// One key of Entra's certificate authority that is trusted.
package struct KeyReport: Hashable, Sendable, Codable {
    /// `SHA256:…`, as ssh-keygen writes it.
    package var fingerprint: String
    /// `ssh-rsa` and the like.
    package var type: String
    /// `jwks`, `jwks-common`, `imds`, `file`.
    package var source: String
    /// When its source last listed it.
    package var confirmedAt: Int64
    /// When its source stopped listing it; it stays trusted for a day after it was last listed.
    package var rotatedOutAt: Int64?

    package init(fingerprint: String, type: String, source: String, confirmedAt: Int64, rotatedOutAt: Int64? = nil) {
        self.fingerprint = fingerprint
        self.type = type
        self.source = source
        self.confirmedAt = confirmedAt
        self.rotatedOutAt = rotatedOutAt
    }
}

/// `entraloginctl keys`: in the order of the sources; at most 256.
package struct KeyListReport: Hashable, Sendable, Codable {
    package var keys: [KeyReport]
    package var total: Int
    /// After `--refresh`: why a source gave none now, or that the refresh has not ended yet; in words.
    package var faults: [String]?

    package init(keys: [KeyReport], total: Int, faults: [String]? = nil) {
        self.keys = keys
        self.total = total
        self.faults = faults
    }
}
