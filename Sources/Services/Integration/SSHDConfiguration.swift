// SPDX-License-Identifier: Apache-2.0

/// The output of `sshd -T -C user=…`: the configuration that applies to this user. Keywords are in lower case; one that
/// may occur more than once keeps all its values.
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

    /// The only value of a keyword; nil if it is absent or occurs more than once.
    package func value(of keyword: String) -> String? {
        guard let all = values[keyword], all.count == 1 else { return nil }
        return all[0]
    }

    /// Every word of a keyword that may occur more than once (`AllowGroups`), in order.
    package func words(of keyword: String) -> [String] {
        (values[keyword] ?? []).flatMap { $0.split(separator: " ").map(String.init) }
    }

    package var isEmpty: Bool { values.isEmpty }
}
