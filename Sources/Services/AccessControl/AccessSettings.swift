// SPDX-License-Identifier: Apache-2.0

package import Authorization

/// The numbers that decisions depend on, as read from the settings.
package struct AccessSettings: Hashable, Sendable {
    /// `OfflineGrace`: how long an earlier allow may stand in while Azure cannot be reached; zero switches it off.
    package var offlineGrace: Duration = .seconds(3600)
    /// `MaxSignInAge`: how long a person may go on in sudo, cron and the like without a new sign-in over SSH.
    package var maximumSignInAge: Duration = .seconds(30 * 86_400)
    /// `GrantLifetime`: how long a membership of the administrators' group lasts without renewal.
    package var grantLifetime: Duration = .seconds(3600)
    /// Between two questions about a signed-in user who is no administrator at most: each costs a confirmation. Found by
    /// the fleet simulation (Documentation/performance.md).
    package var userInterval: Duration = .seconds(900)
    /// `EndSessions`, `EndSessionsAfter`: how long after a final no everything of the account ends; nil: it goes on.
    package var endSessionsAfter: Duration?
    /// sshd's `LoginGraceTime`: how long a verified certificate counts in the process where it was verified.
    package var loginGrace: Duration = .seconds(120)
    /// How long a PAM stage waits for Azure: below the ten seconds after which the module gives up (P9).
    package var stageTimeout: Duration = .seconds(8)
    /// How long one question to Azure may take; it outlives the callers that stop waiting.
    package var questionTimeout: Duration = .seconds(20)
    /// After a fault nobody asks for this person again for so long, unless Azure said longer (Retry-After).
    package var pauseAfterFault: Duration = .seconds(3)
    /// Questions to Azure under way at once, and those of them that no stage waits for.
    package var questionLimit = 256
    package var earlyQuestionLimit = 64
    /// The PAM services in which a person may sign in with a code; empty: in none.
    package var deviceServices: Set<String> = []
    /// How long such a sign-in may take; Entra's limit may be shorter.
    package var deviceLimit: Duration = .seconds(300)
    /// How long an answer to its process may wait: below the deadline of the module's exchange (P9).
    package var deviceWait: Duration = .seconds(5)
    package var cache = DecisionCache.Limits()
    /// How long somebody stays in an Entra group without another answer of Entra's.
    var groupLifetime: Duration { max(offlineGrace, grantLifetime) }

    package init() {}
}
