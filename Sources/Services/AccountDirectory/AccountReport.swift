// SPDX-License-Identifier: Apache-2.0

package import Identity

/// The account directory's part of `status`.
package struct AccountReport: Hashable, Sendable {
    /// Accounts that answer, and accounts that the administrator retired.
    package var enrolled = 0
    package var retired = 0
    /// Enrolled accounts that a local account or group has taken the name, number or home of: they may not sign in.
    package var shadowed: [UserName] = []
    /// entralogin's groups' names that /etc/group holds too, and those of `[Groups]` that anybody else has: the other
    /// one wins.
    package var shadowedGroups: [String] = []
    /// Changes of the table so far.
    package var generation: UInt64 = 0
    /// Why nobody can sign in, with what to do.
    package var fault: String?
    /// What could not be written lately, though people can sign in: grants, sign-in times.
    package var warnings: [String] = []
    /// Why nobody new can be enrolled, who is enrolled being let in: the account file or its snapshot could not be written lately.
    package var enrolmentFaults: [String] = []
}
