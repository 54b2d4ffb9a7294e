// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates nscd's settings (nscd.conf(5)) if nscd, or unscd in its place, runs. Its cache lets no user in, but keeps
/// new users out.
struct NameCacheRule: Sendable {
    static let path = "/etc/nscd.conf"
    /// The socket by which libc asks it.
    static let socket = "/run/nscd/socket"

    private static let harms = [
        "passwd": "nobody can sign in for the first time, because sshd asks nscd, to which such a name is unknown",
        "group": "an administrator's first session has no sudo, because the groups from before it are kept",
    ]

    func evaluate(_ machine: any HostView) -> [Finding] {
        guard machine.exists(NameCacheRule.socket), let text = try? machine.text(of: NameCacheRule.path) else {
            return []
        }
        let lines = NameCacheRule.caches(of: text)
        let findings = NameCacheRule.harms.sorted { $0.key > $1.key }.compactMap { database, harm -> Finding? in
            guard let line = lines[database], line.isOn else { return nil }
            let keepsOut: KeptOut? = database == "passwd" ? .newcomers : nil
            return Finding(
                .nscd(database),
                keepsOut == nil ? .warning : .error,
                "nscd keeps \(database): \(harm)",
                place: "\(NameCacheRule.path):\(line.number)",
                needed: "enable-cache \(database) no",
                remedy: "write that into \(NameCacheRule.path), then systemctl restart nscd; or remove nscd",
                keepsOut: keepsOut
            )
        }
        return findings.isEmpty ? [Finding(.nscd, .good, "nscd runs and keeps neither passwd nor group")] : findings
    }

    /// `enable-cache DATABASE yes|no`: which are on, with the number of the line; the last line of each counts.
    private static func caches(of text: String) -> [String: (number: Int, isOn: Bool)] {
        var result: [String: (number: Int, isOn: Bool)] = [:]
        for (index, line) in text.lines.enumerated() {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard words.count == 3, words[0] == "enable-cache", ["yes", "no"].contains(words[2]) else { continue }
            result[String(words[1])] = (index + 1, words[2] == "yes")
        }
        return result
    }
}
