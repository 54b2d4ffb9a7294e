// SPDX-License-Identifier: Apache-2.0

/// Evaluates what sshd would do with an Entra user, for each line of the drop-in.
package struct SSHDRule: Sendable {
    package static let helper = "/usr/libexec/entralogin/authorized-principals"
    static let helperUser = "entralogin-ssh"
    static let authorities = AuthorityCopy.path
    private static let remedy = "/usr/libexec/entralogin/configure --enable, then reload sshd"

    package struct Need: Sendable {
        package var keyword: String
        package var value: String
        /// Why another value would let a user in, or keep every user out.
        var why: String
        /// An sshd that was built without the feature does not print it.
        var mayBeAbsent = false
    }

    package static let needs = [
        Need(keyword: "usepam", value: "yes", why: "without PAM a certificate alone opens a shell, role or no role"),
        Need(keyword: "authenticationmethods", value: "publickey", why: "another way in would not be checked"),
        Need(keyword: "pubkeyauthentication", value: "yes", why: "nobody could use a certificate"),
        Need(keyword: "trustedusercakeys", value: authorities, why: "only Entra's keys may vouch for these accounts"),
        Need(
            keyword: "authorizedprincipalsfile",
            value: "none",
            why: "a file would accept every tenant's certificates"
        ),
        Need(
            keyword: "authorizedprincipalscommand",
            value: "\(helper) %u %U %h %t %k",
            why: "without it the certificate is not checked"
        ),
        Need(keyword: "authorizedprincipalscommanduser", value: helperUser, why: "only that user may ask the daemon"),
        Need(keyword: "authorizedkeysfile", value: "none", why: "a planted key would outlive the role"),
        Need(keyword: "authorizedkeyscommand", value: "none", why: "keys from elsewhere would be accepted"),
        Need(keyword: "passwordauthentication", value: "no", why: "these accounts have no password"),
        Need(
            keyword: "kbdinteractiveauthentication",
            value: "no",
            why: "sshd would run PAM in another process",
            mayBeAbsent: true
        ),
        Need(keyword: "gssapiauthentication", value: "no", why: "a ticket is no certificate", mayBeAbsent: true),
        Need(keyword: "hostbasedauthentication", value: "no", why: "another host would vouch for the person"),
    ]

    /// The lines that sshd reads, for the places in findings; empty if unknown.
    var lines: [ConfigurationLine] = []

    /// Evaluates the configuration for each kind of name (`UPN`, `GUID`). A finding for both is reported once.
    static func evaluate(
        _ tried: [(kind: String, configuration: SSHDConfiguration)],
        lines: [ConfigurationLine] = []
    ) -> [Finding] {
        let evaluated = tried.map { (kind: $0.kind, findings: SSHDRule(lines: lines).evaluate($0.configuration)) }
        var findings: [Finding] = []
        for (kind, own) in evaluated {
            for var finding in own where !findings.contains(finding) {
                if !evaluated.allSatisfy({ $0.findings.contains(finding) }) { finding.found += " (for a \(kind))" }
                findings.append(finding)
            }
        }
        return findings
    }

    func evaluate(_ configuration: SSHDConfiguration) -> [Finding] {
        let wrong = SSHDRule.needs.compactMap { evaluate($0, configuration) }
        let good = Finding(.sshdPerson, .good, "sshd: entralogin's lines apply to Entra accounts, and no others")
        return (wrong.isEmpty ? [good] : wrong) + remarks(on: configuration)
    }

    /// A need that a configuration does not meet, and its value instead; nil if the keyword does not occur exactly
    /// once.
    struct Unmet: Hashable {
        var keyword: String
        var value: String?
    }

    static func unmet(by configuration: SSHDConfiguration) -> Set<Unmet> {
        Set(needs.compactMap { unmet($0, by: configuration) })
    }

    private static func unmet(_ need: Need, by configuration: SSHDConfiguration) -> Unmet? {
        let value = configuration.value(of: need.keyword)
        if value == nil, need.mayBeAbsent { return nil }
        return value == need.value ? nil : Unmet(keyword: need.keyword, value: value)
    }

    private func evaluate(_ need: Need, _ configuration: SSHDConfiguration) -> Finding? {
        guard let unmet = SSHDRule.unmet(need, by: configuration) else { return nil }
        // The first line with the keyword counts (sshd_config(5)), whichever file it is in.
        let place = need.keyword == "usepam" ? lines.first { $0.keyword == "usepam" }?.place : nil
        return Finding(
            .sshd(keyword: need.keyword),
            .error,
            "sshd: \(need.keyword) is \(unmet.value.map { "'\($0)'" } ?? "not set once"): \(need.why)",
            place: place,
            needed: "\(need.keyword) \(need.value)",
            remedy: need.keyword == "usepam"
                ? "UsePAM yes in \(place ?? SSHDFiles.main), then reload sshd" : SSHDRule.remedy
        )
    }

    /// Settings that prevent or restrict sign-in, but let no user in.
    private func remarks(on configuration: SSHDConfiguration) -> [Finding] {
        var findings: [Finding] = []
        for keyword in ["forcecommand", "chrootdirectory", "revokedkeys"] {
            guard let value = configuration.value(of: keyword), value != "none" else { continue }
            findings.append(Finding(.sshd(keyword: keyword), .note, "sshd: \(keyword) is '\(value)'"))
        }
        return findings
    }
}
