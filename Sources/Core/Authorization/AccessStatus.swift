// SPDX-License-Identifier: Apache-2.0

/// What the access part shows in the status report.
package struct AccessStatus: Hashable, Sendable {
    /// How often one outcome occurred in the last hour.
    package struct Tally: Hashable, Sendable {
        /// The event's stable word (`RecordedEvent`).
        package let event: String
        /// `allow` or `deny`.
        package let verdict: String
        /// The reason code of a refusal.
        package let reason: String?
        package let count: Int

        package init(event: String, verdict: String, reason: String?, count: Int) {
            self.event = event
            self.verdict = verdict
            self.reason = reason
            self.count = count
        }
    }

    package struct Source: Hashable, Sendable {
        /// `jwks`, `jwks-common`, `imds` or `file`.
        package let name: String
        /// Keys of its last valid answer that are in use.
        package let keys: Int
        /// Seconds since its last valid answer; nil where it has given none since the start.
        package let age: Int64?
        /// Its last fault, unless a valid answer came since.
        package let fault: AccessCheckFault?

        package init(name: String, keys: Int, age: Int64?, fault: AccessCheckFault?) {
            self.name = name
            self.keys = keys
            self.age = age
            self.fault = fault
        }
    }

    package struct Keyring: Hashable, Sendable {
        /// Keys that sshd is to trust, rotated-out ones included.
        package let keys: Int
        /// Those that their source does not list any more.
        package let rotatedOut: Int
        /// Seconds since a source confirmed the set; nil where none ever did.
        package let age: Int64?
        package let isStale: Bool
        /// False where the last publication failed: sshd may trust other keys than these.
        package let isPublished: Bool
        package let sources: [Source]
        /// How often since the start a source left out a key that it had listed, and listed one again.
        package let vanished: Int
        package let returned: Int

        package init(
            keys: Int,
            rotatedOut: Int,
            age: Int64?,
            isStale: Bool,
            isPublished: Bool,
            sources: [Source],
            vanished: Int = 0,
            returned: Int = 0
        ) {
            self.keys = keys
            self.rotatedOut = rotatedOut
            self.age = age
            self.isStale = isStale
            self.isPublished = isPublished
            self.sources = sources
            self.vanished = vanished
            self.returned = returned
        }
    }

    /// The administrator's list of what is revoked.
    package struct Revocation: Hashable, Sendable {
        /// Entries of the list; a range of serials is one.
        package let entries: Int
        /// Why it cannot be used: no Entra account can sign in then.
        package let fault: String?

        package init(entries: Int, fault: String?) {
            self.entries = entries
            self.fault = fault
        }
    }

    package let lastHour: [Tally]
    package let sinceStart: [Tally]
    /// Answers in the decision cache, and questions under way.
    package let cachedDecisions: Int
    package let questionsUnderWay: Int
    package let openSessions: Int
    package let administrators: Int
    /// sshd processes with a verified certificate that have not opened a session yet.
    package let verifiedProcesses: Int
    package let keyring: Keyring
    /// Nil where no list is configured.
    package let revocation: Revocation?

    package init(
        lastHour: [Tally],
        sinceStart: [Tally] = [],
        cachedDecisions: Int,
        questionsUnderWay: Int,
        openSessions: Int,
        administrators: Int,
        verifiedProcesses: Int,
        keyring: Keyring,
        revocation: Revocation? = nil
    ) {
        self.lastHour = lastHour
        self.sinceStart = sinceStart
        self.cachedDecisions = cachedDecisions
        self.questionsUnderWay = questionsUnderWay
        self.openSessions = openSessions
        self.administrators = administrators
        self.verifiedProcesses = verifiedProcesses
        self.keyring = keyring
        self.revocation = revocation
    }
}
