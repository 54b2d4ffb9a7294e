// SPDX-License-Identifier: Apache-2.0

internal import Identity
internal import Integration

/// Evaluates whether this is a user namespace without the numbers of Entra accounts (an unprivileged container, as LXC,
/// Incus and rootless engines make them): there the kernel refuses such a uid, and sshd closes the connection without a
/// message.
struct UserNamespaceRule: Sendable {
    /// The range from which new accounts get their numbers.
    let numbers: ClosedRange<UInt32>

    func evaluate(_ machine: any HostView) -> [Finding] {
        let maps = [("/proc/self/uid_map", numbers), ("/proc/self/gid_map", PosixID.usersGroup...numbers.upperBound)]
        return maps.compactMap { path, needed in
            guard let text = try? machine.text(of: path), let mapped = UserNamespaceRule.count(needed, in: text)
            else { return nil }
            return mapped == UInt64(needed.upperBound - needed.lowerBound) + 1 ? nil : finding(path, needed, mapped)
        }
        .prefix(1) + []
    }

    private func finding(_ path: String, _ needed: ClosedRange<UInt32>, _ mapped: UInt64) -> Finding {
        let range = "\(needed.lowerBound)-\(needed.upperBound)"
        return Finding(
            .namespaceIDs,
            mapped == 0 ? .error : .warning,
            mapped == 0
                ? "this is a user namespace without the numbers \(range): no Entra account can sign in"
                : "this is a user namespace with a part of the numbers \(range): some Entra accounts cannot sign in",
            place: path,
            needed: "a container that maps \(range), or the machine itself",
            remedy: "map these ids, too (lxc.idmap, raw.idmap, newuidmap with a range in /etc/subuid and /etc/subgid),"
                + " or run the container without a user namespace"
        )
    }

    /// How many of these numbers the lines map: first inside, first outside, how many (user_namespaces(7)). Nil if
    /// there is no such line.
    private static func count(_ needed: ClosedRange<UInt32>, in text: String) -> UInt64? {
        let counts = text.lines.compactMap { line -> UInt64? in
            let words = line.split { $0 == " " || $0 == "\t" }.compactMap { UInt64($0) }
            guard words.count == 3, words[0] <= UInt64(UInt32.max), words[2] <= UInt64(UInt32.max) else { return nil }
            let first = max(words[0], UInt64(needed.lowerBound))
            let end = min(words[0] + words[2], UInt64(needed.upperBound) + 1)
            return end > first ? end - first : 0
        }
        return counts.isEmpty ? nil : counts.reduce(0, +)
    }
}
