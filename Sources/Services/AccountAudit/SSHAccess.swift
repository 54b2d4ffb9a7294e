// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// How sshd would let a user sign in to one local account, by the output of `sshd -T` for that account
/// (sshd_config(5)). It errs on the side of reporting: a way that depends on the client's address, or needs two proofs
/// (AuthenticationMethods), counts as open.
struct SSHAccess: Sendable {
    private let configuration: SSHDConfiguration
    private let account: AccountFiles.Entry
    /// False if sshd refuses this account before it checks any proof.
    let isOpen: Bool

    /// `groups`: the names of its groups; nil if unknown.
    init(_ configuration: SSHDConfiguration, for account: AccountFiles.Entry, groups: [String]?) {
        self.configuration = configuration
        self.account = account
        let rootMayNot = account.uid == 0 && configuration.value(of: "permitrootlogin") == "no"
        let isLocked = account.isMarkedLocked && configuration.value(of: "usepam") != "yes"
        isOpen =
            !rootMayNot && !isLocked && SSHAccess.admits(user: account.name, configuration)
            && (groups.map { SSHAccess.admits(groups: $0, configuration) } ?? true)
    }

    /// Whether sshd accepts a password, also by way of PAM's prompt.
    var takesPassword: Bool {
        guard isOpen, account.uid != 0 || configuration.value(of: "permitrootlogin") == "yes" else { return false }
        guard account.password != .empty || isOn("permitemptypasswords") else { return false }
        return isOn("passwordauthentication") || (isOn("kbdinteractiveauthentication") && isOn("usepam"))
    }

    /// Absolute paths of key files; a relative one is resolved in the home. Nil if a word of the setting is not
    /// understood.
    var keyFiles: [String]? {
        guard isOpen, isOn("pubkeyauthentication") else { return [] }
        var files: [String] = []
        for word in configuration.words(of: "authorizedkeysfile") where word != "none" {
            guard let path = expanded(word) else { return nil }
            files.append(path.hasPrefix("/") ? path : "\(account.home)/\(path)")
        }
        return files
    }

    var asksProgramForKeys: Bool { isOpen && isOn("pubkeyauthentication") && isSet("authorizedkeyscommand") }

    /// systemd's program, in the setting that systemd ships: `userdbctl ssh-authorized-keys %u` (userdbctl(1)).
    static let userDatabaseProgram = "/usr/bin/userdbctl"

    var asksUserDatabaseForKeys: Bool {
        configuration.words(of: "authorizedkeyscommand") == [
            SSHAccess.userDatabaseProgram, "ssh-authorized-keys", "%u",
        ]
    }

    /// Whether a CA's certificate gets in without entralogin: not if sshd takes its principals only from entralogin's
    /// helper.
    var takesCertificates: Bool {
        guard isOpen, isOn("pubkeyauthentication"), isSet("trustedusercakeys") else { return false }
        let command = configuration.value(of: "authorizedprincipalscommand") ?? "none"
        return isSet("authorizedprincipalsfile") || !command.hasPrefix(SSHDRule.helper + " ")
    }

    var trustsHosts: Bool { isOpen && isOn("hostbasedauthentication") }

    var asksKerberos: Bool { isOpen && (isOn("gssapiauthentication") || isOn("kerberosauthentication")) }

    private func isOn(_ keyword: String) -> Bool { configuration.value(of: keyword) == "yes" }

    private func isSet(_ keyword: String) -> Bool { !["none", nil].contains(configuration.value(of: keyword)) }

    /// Nil for a token that stands for something else (sshd_config(5), TOKENS).
    private func expanded(_ word: String) -> String? {
        var result = ""
        var rest = word[...]
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            let token = rest[percent...].prefix(2)
            switch token {
            case "%%": result += "%"
            case "%h": result += account.home
            case "%u": result += account.name
            case "%U": result += String(account.uid)
            default: return nil
            }
            rest = rest[token.endIndex...]
        }
        return result + rest
    }

    /// A pattern may name a host after an @: a user who is denied from that host may come from another.
    private static func admits(user: String, _ configuration: SSHDConfiguration) -> Bool {
        let denied = configuration.words(of: "denyusers").filter { !$0.contains("@") }
        guard !denied.contains(where: { SSHDPattern.matches(user, $0[...]) }) else { return false }
        let allowed = configuration.words(of: "allowusers")
        return allowed.isEmpty
            || allowed.contains { pattern in
                SSHDPattern.matches(user, pattern.prefix { $0 != "@" }) || SSHDPattern.matches(user, pattern[...])
            }
    }

    private static func admits(groups: [String], _ configuration: SSHDConfiguration) -> Bool {
        let isAny = { (patterns: [String]) in
            patterns.contains { pattern in groups.contains { SSHDPattern.matches($0, pattern[...]) } }
        }
        let allowed = configuration.words(of: "allowgroups")
        return !isAny(configuration.words(of: "denygroups")) && (allowed.isEmpty || isAny(allowed))
    }
}
