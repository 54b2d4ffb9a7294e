// SPDX-License-Identifier: Apache-2.0

package import Identity

/// The account directory's part of `status`.
package struct AccountReport: Hashable, Sendable {
    /// Accounts that are not retired, and accounts that the administrator retired.
    package var enrolled = 0
    package var retired = 0
    /// Enrolled accounts whose name, number or home a local account or group has taken: they may not sign in.
    package var shadowed: [UserName] = []
    /// Names of entralogin's groups that /etc/group has too, and names of `[Groups]` that another user or group has:
    /// the other one wins.
    package var shadowedGroups: [String] = []
    /// Changes of the table so far.
    package var generation: UInt64 = 0
    /// Why no Entra account can sign in, and what to do.
    package var fault: String?
    /// What could not be written lately, though users can sign in: grants, sign-in times.
    package var warnings: [String] = []
    /// Why no new account can be enrolled, while enrolled ones can sign in: the account file or its snapshot could not
    /// be written lately.
    package var enrolmentFaults: [String] = []
}
