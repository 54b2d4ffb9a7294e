// SPDX-License-Identifier: Apache-2.0

package import Identity

/// What happened. The raw value is `ENTRALOGIN_EVENT`; each has a stable MESSAGE_ID in the journal.
package enum RecordedEvent: String, Sendable, Codable, CaseIterable {
    case started
    case stopping
    /// The settings, or the list of revoked keys, were read again.
    case reloaded
    case settingsRejected = "settings-rejected"
    /// The settings have a line that an earlier version understood and that has no effect any more.
    case settingsIgnored = "settings-ignored"
    case certificate
    case account
    /// A sign-in with a code that was typed on another device came to its end.
    case deviceSignIn = "device-sign-in"
    case sessionOpened = "session-opened"
    case sessionClosed = "session-closed"
    /// Every process with an account's uid was ended.
    case sessionsEnded = "sessions-ended"
    case enrolled
    /// Root enrolled an account before its user's first sign-in.
    case added
    case granted
    /// A session that was already open got the administrators' group: Azure has given the role since.
    case raised
    case withdrawn
    case retired
    case locked
    case unlocked
    case rebound
    case renamed
    /// The administrator gave an account another shell or home.
    case changed
    /// A local account or group has taken an enrolled account's name or number, or released it.
    case shadowed
    case keysPublished = "keys-published"
    case keysStale = "keys-stale"
    case accessCheck = "access-check"
    /// This machine's resource in Azure became known, or changed.
    case machine
    /// The integration check passed, or failed.
    case stack
    /// The journal took nothing for so long that the backlog was full and records were lost.
    case recordsLost = "records-lost"
    case fault
}

/// One structured record (P15). Text from outside is quoted and bounded before it gets here; tokens and key material
/// never do (P12).
package struct DecisionRecord: Hashable, Sendable {
    /// syslog's levels (syslog(3)): 2 critical, 3 error, 4 warning, 5 notice, 6 information, 7 debugging.
    package enum Priority: Int, Sendable {
        case critical = 2
        case error
        case warning
        case notice
        case information
        case debugging
    }

    package enum Verdict: String, Sendable {
        case allow
        case deny
    }

    package var event: RecordedEvent
    package var priority: Priority
    /// The line a person reads in the journal.
    package var message: String
    package var verdict: Verdict?
    package var reason: DenialReason?
    package var detail: String?
    package var role: Role?
    package var user: String?
    package var objectID: ObjectID?
    package var service: String?
    package var correlation: CorrelationID?
    package var latency: Duration?

    package init(_ event: RecordedEvent, _ priority: Priority, _ message: String) {
        self.event = event
        self.priority = priority
        self.message = message
    }
}
