// SPDX-License-Identifier: Apache-2.0

package import Integration

/// A way into the machine, or from there to root, that does not involve Entra.
package enum LocalWay: String, Sendable, Codable, CaseIterable {
    /// At the console and for su; over SSH if `AuditedAccount.passwordOverSSH` says so.
    case password
    /// Keys in files, or from sshd's `AuthorizedKeysCommand`.
    case keys
    /// Certificates of a CA that sshd trusts without asking entralogin for the principals.
    case certificates
    /// sshd trusts another host (HostbasedAuthentication).
    case hosts
    /// GSSAPI, or passwords that Kerberos checks.
    case kerberos
    /// Rights, not a way in: counted only if there is a way in.
    case sudo
}

/// A local account that can, or might, be signed in to without Entra.
package struct AuditedAccount: Hashable, Sendable, Codable {
    package var name: String
    package var uid: UInt32
    package var shell: String
    /// In the order of `LocalWay`.
    package var ways: [LocalWay] = []
    /// The `ways` that the allow-list does not name.
    package var notAllowed: [LocalWay] = []
    /// It needs no password at all.
    package var hasEmptyPassword = false
    package var passwordOverSSH = false
    /// Keys in the files that sshd reads for it.
    package var keys = 0
    /// The key files that exist.
    package var keyFiles: [String] = []
    /// sshd also asks a program for its keys.
    package var hasKeysCommand = false
    /// Its shell refuses to run commands, but sshd forwards ports and may serve files.
    package var shellRefuses = false
    package var sudo = SudoRights.none

    package init(name: String, uid: UInt32, shell: String) {
        self.name = name
        self.uid = uid
        self.shell = shell
    }
}

/// Something that could not be read or parsed: a file's line, or a program's answer.
package struct AuditProblem: Hashable, Sendable, Codable {
    /// `file` or `file:line`; a program's path.
    package var place: String
    package var text: String

    package init(_ place: String, _ text: String) {
        self.place = place
        self.text = text
    }
}

/// The report of `audit accounts`.
package struct AccountAuditReport: Sendable, Codable {
    /// True if every way to sign in without Entra is allowed, and everything could be read.
    package var isWell: Bool
    package var accounts: [AuditedAccount]
    /// Names on the allow-list that cannot be signed in to: they can be removed from it.
    package var allowedInVain: [String]
    package var problems: [AuditProblem]
    /// Local users with an Entra account's name: the Entra account cannot sign in (P7).
    package var entraNames: [String] = []

    package init(accounts: [AuditedAccount], allowedInVain: [String], problems: [AuditProblem]) {
        self.accounts = accounts
        self.allowedInVain = allowedInVain
        self.problems = problems
        isWell = problems.isEmpty && accounts.allSatisfy { $0.notAllowed.isEmpty }
    }
}
