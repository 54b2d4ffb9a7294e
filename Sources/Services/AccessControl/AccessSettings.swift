// SPDX-License-Identifier: Apache-2.0

package import Authorization

/// The numbers that decisions depend on, as read from the settings.
package struct AccessSettings: Hashable, Sendable {
    /// `OfflineGrace`: how long an earlier allow may stand in while Azure cannot be reached; zero switches it off.
    package var offlineGrace: Duration = .seconds(3600)
    /// `MaxSignInAge`: how long a user may go on in sudo, cron and the like without a new sign-in over SSH.
    package var maximumSignInAge: Duration = .seconds(30 * 86_400)
    /// `GrantLifetime`: how long a membership of the administrators' group lasts without renewal.
    package var grantLifetime: Duration = .seconds(3600)
    /// The longest time between two questions about a signed-in user who is not an administrator: each costs a
    /// confirmation. Found by the fleet simulation (Documentation/performance.md).
    package var userInterval: Duration = .seconds(900)
    /// `EndSessions`, `EndSessionsAfter`: how long after a final no all processes of the account end; nil: they go on.
    package var endSessionsAfter: Duration?
    /// sshd's `LoginGraceTime`: how long a verified certificate counts in the process where it was verified.
    package var loginGrace: Duration = .seconds(120)
    /// How long a PAM stage waits for Azure: below the ten seconds after which the module gives up (P9).
    package var stageTimeout: Duration = .seconds(8)
    /// How long one question to Azure may take; it outlives the callers that stop waiting.
    package var questionTimeout: Duration = .seconds(20)
    /// How long Azure is not asked about a user again after a fault, unless Azure said longer (Retry-After).
    package var pauseAfterFault: Duration = .seconds(3)
    /// Limits of the questions to Azure under way at once: for all, and for starting one that no stage waits for.
    package var questionLimit = 256
    package var earlyQuestionLimit = 64
    /// The PAM services in which a user may sign in with a code; empty: in none.
    package var deviceServices: Set<String> = []
    /// How long such a sign-in may take; Entra's limit may be shorter.
    package var deviceLimit: Duration = .seconds(300)
    /// How long the process may wait for one answer about it: below the deadline of the module's exchange (P9).
    package var deviceWait: Duration = .seconds(5)
    package var cache = DecisionCache.Limits()
    /// How long a user stays in an Entra group without a new answer from Entra.
    var groupLifetime: Duration { max(offlineGrace, grantLifetime) }

    package init() {}
}
