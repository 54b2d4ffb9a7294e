// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// Local users and groups with an Entra account's name. The local ones take precedence (P7), so the Entra account of
/// that name is refused. useradd, Ansible's `user` and the portal's password reset create such users before the Entra
/// user's first sign-in.
package struct LocalNames: Hashable, Sendable {
    /// Names with their line numbers in /etc/passwd and /etc/group.
    package private(set) var users: [(name: String, line: Int)] = []
    package private(set) var groups: [(name: String, line: Int)] = []

    /// `domains` is the value of `Domains=`; empty means any. Mapped accounts are left out: they are Entra accounts.
    package init(on machine: any HostView, domains: [String]) {
        let list = (try? machine.text(of: MappingList.path)).flatMap { try? MappingList(parsing: Array($0.utf8)) }
        let mapped = Set(list?.people.map(\.name.text) ?? [])
        let names = { (path: String) -> [(name: String, line: Int)] in
            let lines = (try? machine.text(of: path))?.lines ?? []
            return lines.enumerated().compactMap { index, line in
                let name = String(line.prefix { $0 != ":" })
                guard line.contains(":"), !mapped.contains(name), let user = UserName(name),
                    domains.isEmpty || user.domain.map({ domains.contains(String($0)) }) ?? true
                else { return nil }
                return (name, index + 1)
            }
        }
        users = names("/etc/passwd")
        let known = Set(users.map(\.name))
        groups = names("/etc/group").filter { !known.contains($0.name) }
    }

    package static func == (left: LocalNames, right: LocalNames) -> Bool {
        left.users.elementsEqual(right.users, by: ==) && left.groups.elementsEqual(right.groups, by: ==)
    }

    package func hash(into hasher: inout Hasher) { for user in users + groups { hasher.combine(user.name) } }
}
