// SPDX-License-Identifier: Apache-2.0

/// One pattern of `AllowUsers` or `DenyUsers`, `USER` or `USER@HOST`, as sshd reads it (OpenSSH, match.c, `match_user`):
/// what stands behind an @ is the host that the user comes from, never part of a name.
package struct SSHDUserPattern: Sendable {
    package enum Match: Sendable {
        case always
        /// From some hosts, which only a connection shows.
        case fromSomeHosts
        case never
    }

    package let text: String
    /// The two parts, for the versions that split at the first @ and at the last one.
    private let readings: [(user: Substring, host: Substring?)]

    package init(_ text: String) {
        self.text = text
        let places = Set([text.firstIndex(of: "@"), text.lastIndex(of: "@")].compactMap(\.self)).sorted()
        let split = places.map { (user: text[..<$0], host: Optional(text[text.index(after: $0)...])) }
        readings = split.isEmpty ? [(user: text[...], host: nil)] : split
    }

    /// `resolvesHosts`: `UseDNS yes`; without it sshd knows addresses only, and no name of a host ever matches.
    package func match(_ name: String, resolvesHosts: Bool) -> Match {
        let found = readings.map { reading -> Match in
            guard SSHDPattern.matches(name, reading.user) else { return .never }
            guard let host = reading.host, host != "*" else { return .always }
            return resolvesHosts || SSHDUserPattern.mayBeAddress(host) ? .fromSomeHosts : .never
        }
        return found.allSatisfy { $0 == found[0] } ? found[0] : .fromSomeHosts
    }

    /// Some name with an @ or the form of a GUID may match: it has a wildcard where those stand.
    package func mayMatchSomeone(resolvesHosts: Bool) -> Bool {
        readings.contains { reading in
            guard reading.user.contains(where: { $0 == "*" || $0 == "?" }) else { return false }
            guard let host = reading.host, host != "*" else { return true }
            return resolvesHosts || SSHDUserPattern.mayBeAddress(host)
        }
    }

    /// Written as a name of Entra's: sshd takes the domain for a host, so it means nobody.
    package var isNameOfEntra: Bool {
        readings.contains { reading in
            guard let host = reading.host else { return false }
            return host.contains(".") && !SSHDUserPattern.mayBeAddress(host)
        }
    }

    /// The pattern that means what was written: `alice?contoso.com`.
    package var corrected: String { text.replacing("@", with: "?") }

    /// Holds nothing that no address has. A word of a to f with a dot is none either.
    private static func mayBeAddress(_ host: Substring) -> Bool {
        let plain = host.allSatisfy { $0.isHexDigit || ".:/*?!,[]%".contains($0) }
        let isWord = host.contains(".") && !host.contains(":") && host.contains { $0.isLetter }
        return plain && !isWord
    }
}
