// SPDX-License-Identifier: Apache-2.0

/// What `sshd -T -C user=…` prints: the configuration that this person would meet. Keywords are in lower case; those
/// that may stand more than once keep all their values.
package struct SSHDConfiguration: Sendable {
    private var values: [String: [String]] = [:]

    package init(_ output: String) {
        for line in output.lines {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard let keyword = parts.first else { continue }
            let value = parts.count == 2 ? String(parts[1]) : ""
            values[keyword.lowercased(), default: []].append(value)
        }
    }

    /// The only value of a keyword; nil where it is absent or stands more than once.
    package func value(of keyword: String) -> String? {
        guard let all = values[keyword], all.count == 1 else { return nil }
        return all[0]
    }

    /// Every word of a keyword that may stand more than once (`AllowGroups`), in order.
    package func words(of keyword: String) -> [String] {
        (values[keyword] ?? []).flatMap { $0.split(separator: " ").map(String.init) }
    }

    package var isEmpty: Bool { values.isEmpty }
}
