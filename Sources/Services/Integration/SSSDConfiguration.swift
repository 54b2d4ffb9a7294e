// SPDX-License-Identifier: Apache-2.0

/// The numbers that SSSD generates for users of a directory, by sssd.conf(5). Only root can read that file.
struct SSSDConfiguration: Sendable {
    struct Domain: Hashable, Sendable {
        var name: String
        /// The range from which SSSD takes numbers; nil if the directory has them (LDAP's uidNumber, FreeIPA's ranges).
        var numbers: ClosedRange<UInt32>?
        /// The file of its section.
        var place: String
    }

    private static let main = "/etc/sssd/sssd.conf"
    /// sssd-ad(5), sssd-ldap(5): `ldap_idmap_range_min`, and the end of `ldap_idmap_range_max`.
    private static let defaults: (first: UInt32, end: UInt32) = (200_000, 2_000_200_000)
    /// Providers that map security identifiers to numbers unless told otherwise.
    private static let mapping: Set<String> = ["ad", "idp"]

    let domains: [Domain]

    init(_ machine: any HostView) {
        var sections: [(name: String, place: String)] = []
        var values: [String: [String: String]] = [:]
        // Later files override earlier ones, key by key.
        for path in [Self.main] + machine.paths(matching: "/etc/sssd/conf.d/*.conf") {
            var section: String?
            for line in ((try? machine.text(of: path)) ?? "").lines {
                let text = line.filter { $0 != " " && $0 != "\t" && $0 != "\r" }
                if text.hasPrefix("["), text.hasSuffix("]") {
                    section = text.hasPrefix("[domain/") ? String(text.dropFirst("[domain/".count).dropLast()) : nil
                    guard let section, values[section] == nil else { continue }
                    sections.append((section, path))
                    values[section] = [:]
                } else if let section, let equals = text.firstIndex(of: "="), !text.hasPrefix("#"), !text.hasPrefix(";")
                {
                    values[section]?[text[..<equals].lowercased()] = String(text[text.index(after: equals)...])
                }
            }
        }
        domains = sections.map { section in
            Domain(
                name: section.name,
                numbers: SSSDConfiguration.numbers(values[section.name] ?? [:]),
                place: section.place
            )
        }
    }

    private static func numbers(_ values: [String: String]) -> ClosedRange<UInt32>? {
        func number(_ key: String) -> UInt32? { values[key].flatMap { UInt32($0) }.flatMap { $0 > 0 ? $0 : nil } }
        let provider = values["id_provider"]?.lowercased() ?? ""
        let maps = values["ldap_id_mapping"].map { $0.lowercased() == "true" } ?? mapping.contains(provider)
        guard maps else { return nil }
        let first = max(number("ldap_idmap_range_min") ?? defaults.first, number("min_id") ?? 0)
        let last = min((number("ldap_idmap_range_max") ?? defaults.end) - 1, number("max_id") ?? .max)
        return first <= last ? first...last : nil
    }
}
