// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Why a package must not set up the integration by itself, by this machine's files: its administrator has hardened
/// what entralogin would change, or the change would affect another directory's users. `configure` adds what package
/// databases know.
package struct SetupSurvey: Sendable {
    package enum Subject: String, Sendable, Encodable {
        case nsswitch
        case names
        case sudo
        case sshd
    }

    package struct Reason: Hashable, Sendable, Encodable {
        package var subject: Subject
        /// The file, if the reason counts only when the file differs from its package's version.
        package var file: String?
        package var line: Int?
        /// One line.
        package var text: String
    }

    /// Keywords that say who may sign in, with what, and what they may do then. Others (ports, logs, timeouts,
    /// PermitRootLogin, and the PasswordAuthentication that Azure's provisioning writes) do not concern entralogin's
    /// block, and are no sign of hardening against it. All of them stay in force: entralogin's file only adds a Match
    /// block for names that can be Entra's.
    private static let hardening: Set<String> = [
        "allowusers", "allowgroups", "denyusers", "denygroups", "match", "authenticationmethods", "usepam",
        "pubkeyauthentication", "authorizedkeyscommand", "authorizedprincipalscommand", "authorizedprincipalsfile",
        "trustedusercakeys", "forcecommand", "chrootdirectory", "revokedkeys", "casignaturealgorithms",
        "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", "requiredrsasize",
    ]

    private let machine: any EnvironmentView
    private let takesAnyDomain: Bool

    /// `takesAnyDomain`: `Domains=` is not set; false if the settings cannot be read.
    package init(on machine: any EnvironmentView, takesAnyDomain: Bool) {
        self.machine = machine
        self.takesAnyDomain = takesAnyDomain
    }

    package func reasons() -> [Reason] { nameService() + names() + sudo() + sshd() }

    /// If the file is a link, another program manages it, and this rule does not apply.
    private func nameService() -> [Reason] {
        guard !machine.isLink(NameServiceRule.path), let problem = NameServiceRule.obstacle(machine) else {
            return []
        }
        return [Reason(subject: .nsswitch, text: problem)]
    }

    /// entralogin's block in sshd matches by name alone, and takes passwords, keys and tickets away from the users it
    /// matches. Without `Domains=`, it matches every name with an @, such as fully qualified names of another
    /// directory.
    private func names() -> [Reason] {
        guard takesAnyDomain else { return [] }
        let remedy = "their sign-in over SSH would end: name the domains that are Entra's in Domains= first"
        let passwd = (try? machine.text(of: "/etc/passwd")) ?? ""
        let accounts = passwd.lines.map { $0.prefix { $0 != ":" } }.filter { name in
            name.dropFirst().contains("@") && !"#+-@".contains(name.first ?? "@")
        }
        var reasons: [Reason] = []
        if !accounts.isEmpty {
            let list = accounts.joined(separator: " ")
            reasons.append(
                Reason(subject: .names, text: "local accounts with an @ in their names (\(list)): \(remedy)")
            )
        }
        let others = NeighbourRule.others(on: machine, database: "passwd")
        if !others.isEmpty {
            let what =
                "\(NameServiceRule.path) asks \(others.joined(separator: " ")), too; where people there have an @ in"
            reasons.append(Reason(subject: .names, text: "\(what) their names, \(remedy)"))
        }
        return reasons
    }

    private func sudo() -> [Reason] {
        guard machine.exists(SudoersFiles.main) else { return [] }
        let files = SudoersFiles(on: machine)
        var seen: Set<String> = [SudoersFiles.main, LocalAccountsRule.sudoers]
        let changed = files.lines.filter { $0.keyword == "Defaults" && seen.insert($0.file).inserted }
        return SetupSurvey.unreadable(files.unreadable, .sudo)
            + changed.map { Reason(subject: .sudo, text: "\($0.file) changes sudo's defaults") }
    }

    private func sshd() -> [Reason] {
        guard machine.exists(SSHDFiles.main) else { return [] }
        let files = SSHDFiles(on: machine)
        let found = files.lines.filter { line in
            // The distribution's crypto policy names algorithms for all users; `AlgorithmsRule` reports if they exclude
            // Entra's.
            SetupSurvey.hardening.contains(line.keyword) && line.file != SSHDFiles.dropIn
                && !line.file.hasPrefix("/etc/crypto-policies/") && !SetupSurvey.isUsual(line)
        }
        return SetupSurvey.unreadable(files.unreadable, .sshd)
            + found.map { line in
                let text = "\(line.file) says who may sign in: \(line.keyword) \(line.rest)"
                return Reason(subject: .sshd, file: line.file, line: line.number, text: text)
            }
    }

    private static func isUsual(_ line: ConfigurationLine) -> Bool {
        ["usepam", "pubkeyauthentication"].contains(line.keyword)
            && SSHDWords.arguments(of: line.rest)?.first?.lowercased() == "yes"
    }

    private static func unreadable(_ path: String?, _ subject: Subject) -> [Reason] {
        path == nil ? [] : [Reason(subject: subject, text: "\(subject.rawValue)'s files cannot be read whole")]
    }
}
