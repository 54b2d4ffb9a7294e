// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// The domains whose accounts sshd's block must name: those of `Domains=`, and those of accounts that have signed in
/// here.
///
/// An account stays in the name service when its domain is taken out of `Domains=`. A block that no longer names it
/// leaves the account to sshd's other lines: keys in its home, passwords. PAM would still refuse; it must not be the
/// only barrier.
package struct CoveredDomains: Hashable, Sendable {
    /// The daemon's file of accounts (`StoreFormat`); written by the daemon's user, so only its size and shape are
    /// relied on.
    package static let accounts = "/var/lib/entralogin/accounts"
    /// Limit of that file in bytes: some 190,000 accounts.
    package static let accountsLimit = 64 << 20
    /// Each domain costs an `sshd -T`.
    static let limit = 32

    /// As `Domains=` has them; empty: any.
    package let allowed: [String]
    /// Of accounts that are not retired, sorted.
    package let enrolled: [String]

    /// Why the domains cannot be known.
    package struct Failure: Error, Hashable, Sendable {
        package let problem: String
    }

    package init(allowed: [String], on machine: any HostView) throws(Failure) {
        self.allowed = allowed
        let text: String
        do throws(FileAbsence) {
            text = try machine.text(of: CoveredDomains.accounts, limit: CoveredDomains.accountsLimit)
        } catch {
            guard error == .absent else {
                throw Failure(problem: "\(CoveredDomains.accounts) cannot be read, or has more than 64 MiB")
            }
            enrolled = []
            return
        }
        enrolled = Set(text.lines.compactMap(CoveredDomains.domain)).sorted()
        guard enrolled.count <= CoveredDomains.limit else {
            throw Failure(problem: "\(CoveredDomains.accounts) names more than \(CoveredDomains.limit) domains")
        }
    }

    /// What the Match line of sshd's block names, as `configure` writes it: `any`, or domains.
    package var words: [String] {
        allowed.isEmpty ? ["any"] : allowed + enrolled.filter { !allowed.contains($0) }
    }

    private static func domain(of line: Substring) -> String? {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "account", words[2].contains(" retired=- "),
            let name = UserName(String(words[1]))
        else { return nil }
        return name.domain.map { String($0) }
    }
}

/// Evaluates sshd's configuration for accounts of other domains than the first one of `Domains=`.
struct CoveredDomainsRule: Sendable {
    private static let remedy = "/usr/libexec/entralogin/configure --enable, then reload sshd"

    /// What is unmet for every account anyway.
    let common: Set<SSHDRule.Unmet>

    func evaluate(_ domain: String, isEnrolled: Bool, _ configuration: SSHDConfiguration) -> Finding? {
        guard !SSHDRule.unmet(by: configuration).isSubset(of: common) else { return nil }
        let found =
            isEnrolled
            ? "sshd's block does not cover accounts of \(domain), and some have signed in here"
            : "sshd's block does not cover accounts of \(domain): they cannot sign in"
        return Finding(
            .sshdDomains,
            isEnrolled ? .error : .warning,
            found,
            place: SSHDFiles.dropIn,
            needed: "*@\(domain) in the block's Match line",
            remedy: CoveredDomainsRule.remedy
        )
    }
}
