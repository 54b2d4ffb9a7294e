// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Finds local users and groups that have an Entra account's name.
struct LocalNamesRule: Sendable {
    /// As `Domains=` has them.
    let domains: [String]

    func evaluate(_ machine: any HostView) -> [Finding] {
        let local = LocalNames(on: machine, domains: domains)
        return [finding("user", local.users, "/etc/passwd"), finding("group", local.groups, "/etc/group")]
            .compactMap(\.self)
    }

    private func finding(_ kind: String, _ found: [(name: String, line: Int)], _ path: String) -> Finding? {
        guard let first = found.first else { return nil }
        let more = found.count == 1 ? "" : " and \(found.count - 1) more"
        let domains = domains.isEmpty ? "; or Domains= with Entra's domains alone, where these are other people's" : ""
        return Finding(
            .names(of: kind),
            .warning,
            "the local \(kind) \(first.name)\(more) has an Entra account's name: that Entra account cannot sign in",
            place: "\(path):\(first.line)",
            needed:
                "no local \(kind) of that name: the account is made at the first sign-in, or before it by entraloginctl"
                + " users add, and Ansible's user: gives it groups then",
            remedy: "\(kind)del \(first.name) (files stay, under the number that they have)\(domains)"
        )
    }
}
