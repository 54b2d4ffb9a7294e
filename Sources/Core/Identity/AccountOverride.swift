// SPDX-License-Identifier: Apache-2.0

/// Whom an override of the machine's settings concerns: one name, the accounts of a domain, or those whom a local group lists.
package enum AccountSelector: Hashable, Sendable, CustomStringConvertible {
    case name(UserName)
    /// In lower case.
    case domain(String)
    /// By the line in /etc/group that has the whole name; Entra's own groups list nobody.
    case group(String)

    /// Bytes of a group's name, as useradd(8) has them.
    private static let groupLimit = 32

    /// Takes `alice@contoso.com` or an object id, `*@contoso.com`, or `%builders`; nil for anything else.
    package init?(_ text: String) {
        if text.hasPrefix("%") {
            let group = text.dropFirst()
            let isPlain = group.utf8.allSatisfy { HomePath.isPlain($0) }
            guard !group.isEmpty, group.utf8.count <= Self.groupLimit, isPlain else { return nil }
            self = .group(String(group))
        } else if text.hasPrefix("*@") {
            // What may stand behind the @ of a name.
            guard let domain = UserName(folding: "a" + text.dropFirst())?.domain else { return nil }
            self = .domain(String(domain))
        } else {
            guard let name = UserName(folding: text) else { return nil }
            self = .name(name)
        }
    }

    /// `groups`: the local ones that list the name, or are to.
    package func matches(_ name: UserName, groups: Set<String>) -> Bool {
        switch self {
        case .name(let own): name == own
        case .domain(let domain): name.domain.map { $0 == domain } ?? false
        case .group(let group): groups.contains(group)
        }
    }

    /// One person alone can have the value.
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

/// What some accounts get instead of what `HomeTemplate=` or `Shell=` say, when they are made.
package struct AccountOverride<Value: Hashable & Sendable>: Hashable, Sendable {
    package let who: AccountSelector
    package let value: Value

    package init(_ who: AccountSelector, _ value: Value) {
        self.who = who
        self.value = value
    }
}

extension Sequence {
    /// The first that concerns the name.
    package func value<Value>(for name: UserName, in groups: Set<String>) -> Value?
    where Element == AccountOverride<Value> {
        first { $0.who.matches(name, groups: groups) }?.value
    }
}
