// SPDX-License-Identifier: Apache-2.0

/// Checks /etc/nsswitch.conf (nsswitch.conf(5)): local accounts and other directories first, entralogin last (P7).
package struct NameServiceRule: Sendable {
    package static let path = "/etc/nsswitch.conf"
    /// Without short names, and with them (`ShortNames=`).
    package static let services = ["entralogin", "entralogin_short"]

    /// The one that is to be listed.
    let service: String

    init(hasShortNames: Bool = false) { service = Self.services[hasShortNames ? 1 : 0] }

    private static let remedy = "/usr/libexec/entralogin/configure --enable, or write the word there by hand"

    func evaluate(_ machine: any HostView) -> [Finding] {
        let text: String
        do throws(FileAbsence) {
            text = try machine.text(of: NameServiceRule.path)
        } catch {
            return [finding("passwd", .error, "the file cannot be read", place: NameServiceRule.path)]
        }
        return evaluate(text)
    }

    /// The error that would remain if `entralogin` were added at the end of each line that lacks it; nil for none.
    package static func obstacle(_ machine: any HostView) -> String? {
        guard let text = try? machine.text(of: NameServiceRule.path) else {
            return "\(NameServiceRule.path) is missing"
        }
        let lines = databases(of: text).mapValues { line -> (number: Int, words: [String]) in
            guard let position = line.words.firstIndex(where: services.contains) else {
                return (line.number, line.words + [services[0]])
            }
            var words = line.words
            words[position] = services[0]
            return (line.number, words)
        }
        guard let error = NameServiceRule().evaluate(lines).first(where: { $0.severity == .error }) else { return nil }
        guard text.unicodeScalars.first == "\u{FEFF}" else {
            return "\(error.place ?? NameServiceRule.path): \(error.found)"
        }
        return
            "\(NameServiceRule.path) begins with a byte order mark, so the C library passes over its first line: remove the mark"
    }

    func evaluate(_ text: String) -> [Finding] { evaluate(NameServiceRule.databases(of: text)) }

    private func evaluate(_ lines: [String: (number: Int, words: [String])]) -> [Finding] {
        var findings = ["passwd", "group"].map { evaluate($0, lines[$0]) }
        // Without its own line, initgroups uses that of group (nsswitch.conf(5)).
        if let initgroups = lines["initgroups"] { findings.append(evaluate("initgroups", initgroups)) }
        return findings
    }

    private func evaluate(_ database: String, _ line: (number: Int, words: [String])?) -> Finding {
        guard let line else {
            return finding(database, .error, "there is no line for it", place: NameServiceRule.path)
        }
        let place = "\(NameServiceRule.path):\(line.number)"
        guard let position = line.words.firstIndex(of: service) else {
            let other = line.words.first(where: NameServiceRule.services.contains).map {
                ", but '\($0)', and ShortNames= says otherwise"
            }
            return finding(database, .error, "the service '\(service)' is not listed\(other ?? "")", place: place)
        }
        guard line.words[..<position].contains(where: { $0 == "files" || $0 == "compat" }) else {
            return finding(database, .error, "the local files do not stand before \(service)", place: place)
        }
        if line.words.contains(where: { $0.lowercased().contains("merge") }) {
            return finding(database, .error, "a merge action mixes entralogin's groups with others'", place: place)
        }
        if let action = line.words[..<position].first(where: NameServiceRule.endsSearchOnMiss) {
            return finding(database, .error, "the action \(action) ends the search before \(service)", place: place)
        }
        return Finding(.nss(database), .good, "\(database): \(service) after \(line.words[0])", place: place)
    }

    /// True for an action that ends the search, or may, when a service does not know the name.
    private static func endsSearchOnMiss(_ word: String) -> Bool {
        guard word.hasPrefix("["), word.hasSuffix("]") else { return false }
        let pairs = word.lowercased().dropFirst().dropLast().split { $0 == " " || $0 == "\t" }
        return pairs.contains { $0.hasSuffix("=return") && ($0.hasPrefix("notfound") || $0.hasPrefix("!")) }
    }

    /// The words after each database, an action in brackets as one word, and the number of its line. The first line
    /// counts.
    package static func databases(of text: String) -> [String: (number: Int, words: [String])] {
        var result: [String: (number: Int, words: [String])] = [:]
        for (index, raw) in text.lines.enumerated() {
            // Any white space of isspace(3) separates words there, even a CR at the end of a line.
            let line = String(raw.prefix { $0 != "#" }.map { $0.isWhitespace ? " " : $0 })
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = String(line[..<colon].filter { $0 != " " && $0 != "\t" })
            let words = PAMLine.lines(of: String(line[line.index(after: colon)...]), file: "").first?.words ?? []
            if !name.isEmpty, !words.isEmpty, result[name] == nil { result[name] = (index + 1, words) }
        }
        return result
    }

    private func finding(_ database: String, _ severity: Severity, _ found: String, place: String) -> Finding {
        Finding(
            .nss(database),
            severity,
            "\(database): \(found)",
            place: place,
            needed: "\(database): files … \(service), after every other service that holds accounts",
            remedy: NameServiceRule.remedy
        )
    }
}
