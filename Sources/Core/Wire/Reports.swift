// SPDX-License-Identifier: Apache-2.0

// The daemon's reports to entraloginctl: JSON documents in replies (entraloginctl(1) describes them for scripts).
// Times are seconds since 1970, ages and waits seconds. Names of fields are stable; a change raises the wire's version.

/// The version of everything that is built together.
package enum ProductVersion {
    package static let text = "0.1.0"
}

/// A problem that the machine's administrator should look at.
package struct ReportedWarning: Hashable, Sendable, Codable {
    package var id: WarningID
    /// True if users are refused because of it, now or at new sign-ins.
    package var isGrave: Bool
    /// One sentence.
    package var text: String
    /// What to do or type; empty where nothing can be done but wait.
    package var remedy: String

    package init(id: WarningID, isGrave: Bool, text: String, remedy: String) {
        self.id = id
        self.isGrave = isGrave
        self.text = text
        self.remedy = remedy
    }
}

/// What this machine is in Azure.
package struct MachineReport: Hashable, Sendable, Codable {
    /// `azEnvironment`.
    package var cloud: String
    /// A raw value of `MachineKind`.
    package var kind: String
    package var resource: String
    package var tenant: String
    package var name: String
    /// True while the metadata service has not answered since the start and the last valid answer is used.
    package var isFromDisk: Bool

    package init(
        cloud: String,
        kind: String,
        resource: String,
        tenant: String,
        name: String,
        isFromDisk: Bool = false
    ) {
        self.cloud = cloud
        self.kind = kind
        self.resource = resource
        self.tenant = tenant
        self.name = name
        self.isFromDisk = isFromDisk
    }
}

/// The managed identity's token for one audience; never the token itself (P12).
package struct TokenReport: Hashable, Sendable, Codable {
    package var audience: String
    /// When it expires; nil where none has been obtained yet.
    package var expiresAt: Int64?
    /// Why the last attempt failed; nil where it did not.
    package var lastError: String?
    /// The reason code of `lastError`, never derived from its text.
    package var lastErrorCode: String?

    package init(
        audience: String,
        expiresAt: Int64? = nil,
        lastError: String? = nil,
        lastErrorCode: String? = nil
    ) {
        self.audience = audience
        self.expiresAt = expiresAt
        self.lastError = lastError
        self.lastErrorCode = lastErrorCode
    }
}

/// One access checker, in the order in which they are asked.
package struct CheckerReport: Hashable, Sendable, Codable {
    /// `pas`, `arm`, `arm-roleassignments`.
    package var name: String
    /// `ready`, `untried`, `set-aside` (it does not serve the question; the next is asked), `failing`.
    package var state: String
    /// Of its last answer, whatever it was.
    package var lastLatencyMilliseconds: Int64?
    /// Since that answer.
    package var lastAskedSecondsAgo: Int64?
    package var lastError: String?
    /// The reason code of `lastError`.
    package var lastErrorCode: String?

    package init(
        name: String,
        state: String,
        lastLatencyMilliseconds: Int64? = nil,
        lastError: String? = nil,
        lastErrorCode: String? = nil
    ) {
        self.name = name
        self.state = state
        self.lastLatencyMilliseconds = lastLatencyMilliseconds
        self.lastError = lastError
        self.lastErrorCode = lastErrorCode
    }
}

/// How refusals were confirmed by role assignments since the daemon's start.
package struct ConfirmationsReport: Hashable, Sendable, Codable {
    /// False with `ConfirmRefusals=no`.
    package var isOn = false
    /// Role assignments gave no more; they gave more, and that counted.
    package var agreed = 0
    package var overruled = 0
    /// They may not be read; they gave no answer.
    package var notPermitted = 0
    package var unanswered = 0
    /// Why the last confirmation gave no answer; nil where it gave one.
    package var lastError: String?
    /// The reason code of `lastError`.
    package var lastErrorCode: String?
    /// The object id of the last user whose refusal was overruled.
    package var lastOverruled: String?

    package init() {}
}

/// The keys of Entra's certificate authority that this machine trusts.
package struct KeysReport: Hashable, Sendable, Codable {
    package var count = 0
    /// Since a source last gave them; nil where none ever did.
    package var ageSeconds: Int64?
    /// `jwks`, `jwks-common`, `imds`, `file`: those that the present set came from.
    package var sources: [String] = []
    package var isStale = false
    package var lastError: String?
    /// The reason code of `lastError`, before which the name of the source stands.
    package var lastErrorCode: String?
    /// How often since the start a source left out a key that it had listed, and listed one again.
    package var vanished = 0
    package var returned = 0

    package init() {}
}

package struct AccountsReport: Hashable, Sendable, Codable {
    package var enrolled = 0
    package var retired = 0
    /// Names of enrolled accounts that local accounts or groups hide (P7); at most 100.
    package var shadowed: [String] = []

    package init() {}
}

/// The decisions of the last hour.
package struct DecisionsReport: Hashable, Sendable, Codable {
    package var allowed = 0
    /// By reason code.
    package var denied: [String: Int] = [:]

    package init() {}
}

/// How often one outcome occurred since the daemon's start.
package struct OutcomeReport: Hashable, Sendable, Codable {
    /// A raw value of `RecordedEvent`.
    package var event: String
    /// `allow` or `deny`.
    package var decision: String
    /// The reason code of a refusal.
    package var reason: String?
    package var count: Int

    package init(event: String, decision: String, reason: String?, count: Int) {
        self.event = event
        self.decision = decision
        self.reason = reason
        self.count = count
    }
}

/// Events for the Linux audit system since the daemon's start. The daemon cannot know whether the kernel audits.
package struct AuditReport: Hashable, Sendable, Codable {
    /// Given to audit-events.
    package var handedOver = 0
    /// Lost, because audit-events did not listen or its queue was full.
    package var dropped = 0
    /// False where the last event found no socket: entralogin-audit.socket is not installed or not started.
    package var isPresent = true
    /// Why the last event was dropped; nil where it was not.
    package var lastError: String?

    package init() {}
}

/// Records that have not reached the journal.
package struct RecordsReport: Hashable, Sendable, Codable {
    /// They wait for the journal now.
    package var waiting: Int
    /// How long the first of them has waited.
    package var waitingSeconds: Int64
    /// Since the daemon's start, for want of room.
    package var lost: Int

    package init(waiting: Int = 0, waitingSeconds: Int64 = 0, lost: Int = 0) {
        self.waiting = waiting
        self.waitingSeconds = waitingSeconds
        self.lost = lost
    }
}

/// `entraloginctl status`.
package struct StatusReport: Hashable, Sendable, Codable {
    package var version: String
    package var startedAt: Int64
    /// False until the first keys and the machine's identity are known.
    package var isReady: Bool
    /// One sentence for each thing that does not work; empty where all does.
    package var degraded: [String] = []
    /// Nil until it is known.
    package var machine: MachineReport?
    package var tokens: [TokenReport] = []
    package var checkers: [CheckerReport] = []
    /// Nil from a daemon that does not say.
    package var confirmations: ConfirmationsReport?
    /// Microsoft Graph, as a checker; nil where it is asked nothing.
    package var directory: CheckerReport?
    package var keys = KeysReport()
    package var accounts = AccountsReport()
    /// Administrators now.
    package var grants = 0
    /// Sign-ins of Entra users that are open now.
    package var sessions = 0
    package var decisions = DecisionsReport()
    /// Counters for `entraloginctl metrics`: each outcome that occurred since the start.
    package var outcomes: [OutcomeReport] = []
    /// Why the integration is not verified; nil while it is.
    package var stackRefusal: String?
    /// How far this clock is ahead of Azure's (negative: behind); nil where no answer was seen yet.
    package var clockAheadSeconds: Int64?
    /// Nil where `Audit=no`.
    package var audit: AuditReport?
    /// Nil where the daemon does not say.
    package var records: RecordsReport?
    /// Resident memory.
    package var memoryBytes: Int64?
    package var warnings: [ReportedWarning] = []

    package init(version: String, startedAt: Int64, isReady: Bool) {
        self.version = version
        self.startedAt = startedAt
        self.isReady = isReady
    }
}
