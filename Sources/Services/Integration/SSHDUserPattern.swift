// SPDX-License-Identifier: Apache-2.0

/// One pattern of `AllowUsers` or `DenyUsers`, `USER` or `USER@HOST`, as sshd reads it (OpenSSH, match.c,
/// `match_user`): the part after an @ is the client's host, never part of a name.
package struct SSHDUserPattern: Sendable {
    package enum Match: Sendable {
        case always
        /// From some hosts; only a connection shows from which.
        case fromSomeHosts
        case never
    }

    package let text: String
    /// The two parts, both for versions that split at the first @ and for those that split at the last.
    private let readings: [(user: Substring, host: Substring?)]

    package init(_ text: String) {
        self.text = text
        let places = Set([text.firstIndex(of: "@"), text.lastIndex(of: "@")].compactMap(\.self)).sorted()
        let split = places.map { (user: text[..<$0], host: Optional(text[text.index(after: $0)...])) }
        readings = split.isEmpty ? [(user: text[...], host: nil)] : split
    }

    /// `resolvesHosts`: `UseDNS yes`; without it sshd knows only addresses, and no host name ever matches.
    package func match(_ name: String, resolvesHosts: Bool) -> Match {
        let found = readings.map { reading -> Match in
            guard SSHDPattern.matches(name, reading.user) else { return .never }
            guard let host = reading.host, host != "*" else { return .always }
            return resolvesHosts || SSHDUserPattern.mayBeAddress(host) ? .fromSomeHosts : .never
        }
        return found.allSatisfy { $0 == found[0] } ? found[0] : .fromSomeHosts
    }

    /// Whether a name with an @, or a GUID, may match: the user part has a wildcard.
    package func mayMatchSomeone(resolvesHosts: Bool) -> Bool {
        readings.contains { reading in
            guard reading.user.contains(where: { $0 == "*" || $0 == "?" }) else { return false }
            guard let host = reading.host, host != "*" else { return true }
            return resolvesHosts || SSHDUserPattern.mayBeAddress(host)
        }
    }

    /// Written like an Entra name: sshd takes the domain for a host, so it matches no Entra account.
    package var isNameOfEntra: Bool {
        readings.contains { reading in
            guard let host = reading.host else { return false }
            return host.contains(".") && !SSHDUserPattern.mayBeAddress(host)
        }
    }

    /// The pattern for the name that was meant: `alice?contoso.com`.
    package var corrected: String { text.replacing("@", with: "?") }

    /// Has only characters of an address; a dotted word of the letters a to f is not an address either.
    private static func mayBeAddress(_ host: Substring) -> Bool {
        let plain = host.allSatisfy { $0.isHexDigit || ".:/*?!,[]%".contains($0) }
        let isWord = host.contains(".") && !host.contains(":") && host.contains { $0.isLetter }
        return plain && !isWord
    }
}
