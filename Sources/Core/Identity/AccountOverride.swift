// SPDX-License-Identifier: Apache-2.0

/// The accounts to which an override in the machine's settings applies: one name, those of a domain, or those that a
/// local group lists.
package enum AccountSelector: Hashable, Sendable, CustomStringConvertible {
    case name(UserName)
    /// In lower case.
    case domain(String)
    /// The whole names in the group's line of /etc/group; entralogin's own groups list none.
    case group(String)

    /// Maximum bytes of a group's name, as in useradd(8).
    private static let groupLimit = 32

    /// Takes `alice@contoso.com` or an object id, `*@contoso.com`, or `%builders`; nil for anything else.
    package init?(_ text: String) {
        if text.hasPrefix("%") {
            let group = text.dropFirst()
            let isPlain = group.utf8.allSatisfy { HomePath.isPlain($0) }
            guard !group.isEmpty, group.utf8.count <= Self.groupLimit, isPlain else { return nil }
            self = .group(String(group))
        } else if text.hasPrefix("*@") {
            // Accepts what may follow the @ of a name.
            guard let domain = UserName(folding: "a" + text.dropFirst())?.domain else { return nil }
            self = .domain(String(domain))
        } else {
            guard let name = UserName(folding: text) else { return nil }
            self = .name(name)
        }
    }

    /// `groups`: the local groups that list the name, or are about to.
    package func matches(_ name: UserName, groups: Set<String>) -> Bool {
        switch self {
        case .name(let own): name == own
        case .domain(let domain): name.domain.map { $0 == domain } ?? false
        case .group(let group): groups.contains(group)
        }
    }

    /// True if at most one account can get the value.
    package var isOnePerson: Bool {
        if case .name = self { true } else { false }
    }

    package var description: String {
        switch self {
        case .name(let name): name.text
        case .domain(let domain): "*@\(domain)"
        case .group(let group): "%\(group)"
        }
    }
}

/// What some accounts get when they are created, instead of `HomeTemplate=` or `Shell=`.
package struct AccountOverride<Value: Hashable & Sendable>: Hashable, Sendable {
    package let who: AccountSelector
    package let value: Value

    package init(_ who: AccountSelector, _ value: Value) {
        self.who = who
        self.value = value
    }
}

extension Sequence {
    /// The value of the first override that applies to the name.
    package func value<Value>(for name: UserName, in groups: Set<String>) -> Value?
    where Element == AccountOverride<Value> {
        first { $0.who.matches(name, groups: groups) }?.value
    }
}
