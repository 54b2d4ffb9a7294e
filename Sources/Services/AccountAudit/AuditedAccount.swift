// SPDX-License-Identifier: Apache-2.0

package import Integration

/// A way into the machine, or from there to root, that asks nobody in Entra.
package enum LocalWay: String, Sendable, Codable, CaseIterable {
    /// At the console and for su; over SSH where `AuditedAccount.passwordOverSSH` says so.
    case password
    /// Keys in files, or from a command of sshd's.
    case keys
    /// Of an authority that sshd trusts, without asking entralogin for the names.
    case certificates
    /// sshd takes another machine's word (HostbasedAuthentication).
    case hosts
    /// GSSAPI, or passwords that Kerberos checks.
    case kerberos
    /// Rights, not a way in: counted only where there is another.
    case sudo
}

/// A local account that somebody can sign in to without Entra, or of which that could not be found out.
package struct AuditedAccount: Hashable, Sendable, Codable {
    package var name: String
    package var uid: UInt32
    package var shell: String
    /// In the order of `LocalWay`.
    package var ways: [LocalWay] = []
    /// Those of `ways` that the allow-list does not name.
    package var notAllowed: [LocalWay] = []
    /// It needs none at all.
    package var hasEmptyPassword = false
    package var passwordOverSSH = false
    /// Keys in the files that sshd reads for it.
    package var keys = 0
    /// Those of these files that exist.
    package var keyFiles: [String] = []
    /// sshd also asks a program for its keys.
    package var hasKeysCommand = false
    /// Its shell lets nobody work, but sshd forwards ports and may serve files.
    package var shellRefuses = false
    package var sudo = SudoRights.none

    package init(name: String, uid: UInt32, shell: String) {
        self.name = name
        self.uid = uid
        self.shell = shell
    }
}

/// Something that could not be looked at or understood: a file's line, or a program's answer.
package struct AuditProblem: Hashable, Sendable, Codable {
    /// `file` or `file:line`; a program's path.
    package var place: String
    package var text: String

    package init(_ place: String, _ text: String) {
        self.place = place
        self.text = text
    }
}

/// What `audit accounts` says.
package struct AccountAuditReport: Sendable, Codable {
    /// Nobody can sign in without Entra but in the ways that are allowed, and all could be looked at.
    package var isWell: Bool
    package var accounts: [AuditedAccount]
    /// Names on the allow-list to which nobody can sign in: the list can be shorter.
    package var allowedInVain: [String]
    package var problems: [AuditProblem]
    /// Local users who bear an Entra account's name: that account cannot sign in (P7).
    package var entraNames: [String] = []

    package init(accounts: [AuditedAccount], allowedInVain: [String], problems: [AuditProblem]) {
        self.accounts = accounts
        self.allowedInVain = allowedInVain
        self.problems = problems
        isWell = problems.isEmpty && accounts.allSatisfy { $0.notAllowed.isEmpty }
    }
}
