// SPDX-License-Identifier: Apache-2.0

package import Identity

/// What the administrator's settings say about accounts. It can change while the daemon runs.
package struct AccountPolicy: Hashable, Sendable {
    /// Domains of user principal names that may sign in, in lower case; empty: every domain. GUIDs have no domain and
    /// are not affected.
    package var domains: Set<String>
    package var homeTemplate: HomeTemplate
    /// Absolute path, at most 255 bytes. For new accounts; an enrolled account keeps its own.
    package var shell: String
    /// Replace these two for some new accounts: the first override that concerns a name counts.
    package var homeOverrides: [AccountOverride<HomeTemplate>]
    package var shellOverrides: [AccountOverride<String>]
    /// The names of the group of all Entra accounts and of the administrators' group: at most 32 bytes each.
    package var usersGroupName: String
    package var administratorsGroupName: String
    /// Whether getpwent(3) and getgrent(3) list the enrolled accounts.
    package var enumerate: Bool
    /// Whether Entra groups are published: then the modules look for their file.
    package var mapsGroups = false
    /// The domain whose users have short names, in lower case; nil: there are none.
    package var shortNameDomain: String?
    /// The range from which new accounts get their numbers; an enrolled account keeps its own.
    package var numbers: ClosedRange<UInt32>
    /// Whether root's program is told of each change of the accounts, so that it gives them subordinate ids.
    package var subordinateIDs: Bool

    package init(
        domains: Set<String> = [],
        homeTemplate: HomeTemplate = .standard,
        shell: String = "/bin/bash",
        usersGroupName: String = "entra_users",
        administratorsGroupName: String = "entra_admins",
        enumerate: Bool = false,
        numbers: ClosedRange<UInt32> = PosixID.userRange,
        subordinateIDs: Bool = false,
        homeOverrides: [AccountOverride<HomeTemplate>] = [],
        shellOverrides: [AccountOverride<String>] = []
    ) {
        self.homeOverrides = homeOverrides
        self.shellOverrides = shellOverrides
        self.domains = domains
        self.homeTemplate = homeTemplate
        self.shell = shell
        self.usersGroupName = usersGroupName
        self.administratorsGroupName = administratorsGroupName
        self.enumerate = enumerate
        self.numbers = numbers
        self.subordinateIDs = subordinateIDs
    }

    /// An enrolled account under its present name: it keeps the mark of a short name while that is not in force.
    func asCalledNow(_ account: Account) -> Account {
        guard account.shortName != nil, !hasShortNames(of: account.name.domain) else { return account }
        return account.withWholeName
    }

    func asCalledNow(_ enrolled: EnrolledAccount) -> EnrolledAccount {
        guard enrolled.account.shortName != nil, !hasShortNames(of: enrolled.account.name.domain) else {
            return enrolled
        }
        return enrolled.withWholeName
    }

    /// The name in the published record.
    @inline(__always)
    func nameNow(of account: borrowing Account) -> String {
        guard let short = account.shortName, hasShortNames(of: account.name.domain) else { return account.name.text }
        return short.text
    }

    func hasShortNames(of domain: Substring?) -> Bool {
        guard let domain, let shortNameDomain else { return false }
        return domain == shortNameDomain
    }

    func allows(_ name: UserName) -> Bool {
        guard !domains.isEmpty, let domain = name.domain else { return true }
        return domains.contains(String(domain))
    }
}

/// Runs work that blocks on the disk and returns when it is done; tests run it in place.
package typealias Offload = @Sendable (_ work: @escaping @Sendable () -> Void) async -> Void
