// SPDX-License-Identifier: Apache-2.0

extension CommandTable {
    /// The rows whose command begins with these words: `users` has several, `users rebind` one. Empty if there is none.
    static func entries(of words: [String]) -> [CommandEntry] {
        let exact = all.filter { $0.words == words.prefix(2).joined(separator: " ") }
        guard exact.isEmpty else { return exact }
        return all.filter { $0.verb == words.first }
    }

    /// The hint after a usage error: that command's usage, or how to list all commands.
    static func reminder(after arguments: [String]) -> String {
        let words = arguments.filter { !$0.hasPrefix("-") }
        let found = entries(of: words)
        guard !found.isEmpty else { return "entraloginctl --help lists the commands" }
        return found.map(\.usage).joined(separator: "\n")
    }

    /// `help COMMAND`.
    static func help(of words: [String]) -> String {
        let rows = entries(of: words).map { entry in
            ([entry.usage] + Text.wrap(entry.summary, width: Style.width - 4).map { "    \($0)" }).joined(
                separator: "\n"
            )
        }
        return (rows + ["", "--json prints for programs; man entraloginctl says more."]).joined(separator: "\n")
    }

    /// Every first word, and `help`.
    static var verbs: [String] {
        var seen: Set<String> = []
        return all.map(\.verb).filter { seen.insert($0).inserted } + ["help"]
    }

    /// The words that may follow `users`, `sessions` or `audit`.
    static func subverbs(of verb: String) -> [String] {
        all.filter { $0.verb == verb }.compactMap { entry in
            let words = entry.words.split(separator: " ")
            return words.count > 1 ? String(words[1]) : nil
        }
    }
}

extension CommandEntry {
    /// `usage: entraloginctl users rename NAME NEW`.
    var usage: String { "usage: entraloginctl \(words) \(operands)".trimmed }
}
