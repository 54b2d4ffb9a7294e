// SPDX-License-Identifier: Apache-2.0

internal import Identity
package import Integration

/// Evaluates the accounts that have signed in here against the settings and the disk: shells that are gone, homes that
/// are not the account's, domains and tenants that may not sign in any more.
package struct EnrolledAccountsRule: Sendable {
    /// What is read of a line of the daemon's file of accounts (`StoreFormat`); only its shape is relied on.
    private struct Account {
        var name: UserName
        /// What the system calls it.
        var systemName: String
        var uid: UInt32
        var tenant: String
        var home: String
        var shell: String
    }

    /// How many accounts a finding names.
    private static let shown = 5
    /// How many accounts' homes are checked, and how many against sshd's lists: the newest.
    private static let limit = 2000

    private let domains: [String]
    private let homesObstacle: String?
    private let machine: any EnvironmentView
    private let accounts: [Account]

    /// `domains`: as `Domains=` has them; `homeTemplate`: faults of its folder are reported elsewhere;
    /// `shortNameDomain`: as `ShortNames=` has it.
    package init(
        on machine: any EnvironmentView,
        domains: [String] = [],
        homeTemplate: String = "/home/%n",
        shortNameDomain: String? = nil
    ) {
        self.machine = machine
        self.domains = domains
        homesObstacle = HomesRule(template: homeTemplate).evaluate(machine).first { $0.severity == .error }?.place
        let text = (try? machine.text(of: CoveredDomains.accounts, limit: CoveredDomains.accountsLimit)) ?? ""
        let local = (try? machine.text(of: "/etc/passwd")) ?? ""
        let localNames = Set(local.lines.map { $0.prefix { $0 != ":" } })
        // An account with a local line has its home and shell there.
        accounts = text.lines.compactMap { EnrolledAccountsRule.account($0, shortNameDomain) }.filter {
            !localNames.contains($0.systemName[...])
        }
    }

    /// Names and login shells, in the order of the first sign-in.
    var shellsInUse: [(name: String, shell: String)] { accounts.map { ($0.systemName, $0.shell) } }

    package func evaluate() -> [Finding] { homes() + shells() + allowedDomains() }

    /// The accounts that have signed in here and that one of sshd's lists turns away, which may be intended.
    func turnedAway(
        by configuration: SSHDConfiguration,
        usersGroup: String,
        _ lines: [ConfigurationLine]
    ) -> [Finding] {
        let found = accounts.suffix(EnrolledAccountsRule.limit).compactMap { account -> (UserName, Finding)? in
            let name = account.systemName
            let groups = [usersGroup, name] + (name == account.name.text ? [] : [ShortName.group])
            let rule = PersonAdmittanceRule(name: name, groups: groups, isEnrolled: true, lines: lines)
            return rule.evaluate(configuration).first { $0.severity == .error }.map { (account.name, $0) }
        }
        guard let first = found.first?.1 else { return [] }
        let names = found.prefix(EnrolledAccountsRule.shown).map(\.0.text).joined(separator: ", ")
        return [
            Finding(
                .accountsLists,
                .warning,
                "sshd turns away who has signed in here before: \(names)\(others(found.count))",
                place: first.place,
                needed: "a list that names them, unless that is meant; entraloginctl users retire ends an account",
                remedy: first.remedy
            )
        ]
    }

    /// `tenant`: the one that this machine trusts.
    package func evaluate(tenant: String) -> [Finding] {
        guard !accounts.isEmpty, !isTenantOfSome(tenant) else { return [] }
        return [
            Finding(
                .accountsTenant,
                .error,
                "\(count(accounts.count)) of another tenant than \(tenant), whose certificates alone are taken",
                needed: "the tenant in which these accounts are",
                remedy:
                    "look at TenantID= in [Azure] (entraloginctl config Azure.TenantID), then systemctl restart entralogind"
            )
        ]
    }

    /// True where some account here belongs to this tenant.
    package func isTenantOfSome(_ tenant: String) -> Bool { accounts.contains { $0.tenant == tenant } }

    private func homes() -> [Finding] {
        let rule = HomeRule(machine: machine)
        let found = accounts.suffix(EnrolledAccountsRule.limit).compactMap { account -> (Account, HomeRule.Obstacle)? in
            guard let obstacle = rule.obstacle(at: account.home, uid: account.uid), obstacle.place != homesObstacle
            else {
                return nil
            }
            return (account, obstacle)
        }
        return found.prefix(EnrolledAccountsRule.shown).map { account, obstacle in
            Finding(
                .accountsHome,
                .error,
                "\(account.name) cannot sign in: \(obstacle.text)" + others(found.count),
                place: obstacle.place,
                remedy: obstacle.remedy
            )
        }
    }

    private func shells() -> [Finding] {
        var obstacles: [String: String] = [:]
        for shell in Set(accounts.map(\.shell)) { obstacles[shell] = ShellRule.obstacle(shell, machine) }
        let found = accounts.filter { obstacles[$0.shell] != nil }
        guard let first = found.first, let why = obstacles[first.shell] else { return [] }
        let names = found.prefix(EnrolledAccountsRule.shown).map(\.name.text).joined(separator: ", ")
        return [
            Finding(
                .accountsShell,
                .error,
                "\(names)\(others(found.count)) cannot work here: \(why)",
                remedy: "install it, or: entraloginctl users set-shell \(first.name) /bin/bash"
            )
        ]
    }

    private func allowedDomains() -> [Finding] {
        let named = accounts.filter { $0.name.domain != nil }
        guard !domains.isEmpty, !named.isEmpty,
            !named.contains(where: { account in domains.contains { $0[...] == account.name.domain } })
        else { return [] }
        return [
            Finding(
                .accountsDomain,
                .error,
                "\(count(named.count)) of a domain that is not among Domains= (\(domains.joined(separator: " ")))",
                needed: "the domains of the accounts that may sign in",
                remedy: "change Domains= in [Accounts], then systemctl restart entralogind and configure --enable"
            )
        ]
    }

    private func count(_ number: Int) -> String {
        number == 1
            ? "the only account that has signed in here is" : "all \(number) accounts that have signed in here are"
    }

    private func others(_ count: Int) -> String {
        count > EnrolledAccountsRule.shown ? " (and \(count - EnrolledAccountsRule.shown) more)" : ""
    }

    /// Nil for a locked account, too: it is refused on purpose.
    private static func account(_ line: Substring, _ shortNameDomain: String?) -> Account? {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        let marks = fields.dropFirst(11)
        let isWhole = fields.count >= 11 && marks.allSatisfy { $0 == "added=root" || $0 == "short=yes" }
        guard isWhole, fields[0] == "account", fields[6] == "retired=-",
            let name = UserName(String(fields[1]))
        else { return nil }
        func value(_ index: Int, _ key: String) -> Substring? {
            fields[index].hasPrefix("\(key)=") ? fields[index].dropFirst(key.count + 1) : nil
        }
        guard let uid = value(2, "uid").flatMap({ UInt32($0) }), let tenant = value(3, "tenant"),
            let home = value(7, "home"), let shell = value(8, "shell"), !home.contains("%"), !shell.contains("%")
        else { return nil }
        let short = marks.contains("short=yes") ? name.shortName(in: shortNameDomain) : nil
        return Account(
            name: name,
            systemName: short?.text ?? name.text,
            uid: uid,
            tenant: String(tenant),
            home: String(home),
            shell: String(shell)
        )
    }
}
