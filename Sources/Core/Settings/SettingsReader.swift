// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// One file of settings as it was read.
package struct SettingsText: Hashable, Sendable {
    /// For messages.
    package let path: String
    package let text: String

    package init(path: String, text: String) {
        self.path = path
        self.text = text
    }

    package init(path: String, bytes: [UInt8]) { self.init(path: path, text: String(decoding: bytes, as: UTF8.self)) }
}

/// What is wrong with a line: where, what, and what to do.
package struct SettingsProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package let path: String
    /// From 1.
    package let line: Int
    package let text: String

    package var description: String { "\(path):\(line): \(text)" }
}

/// Settings with the place that each value came from.
package struct EffectiveSettings: Hashable, Sendable {
    /// The file; its drop-ins are in the folder of that name with `.d` appended.
    package static let defaultPath = "/etc/entralogin/entralogin.conf"

    package var values = Settings()
    /// A line of a file.
    package struct Origin: Hashable, Sendable, CustomStringConvertible {
        package let path: String
        package let line: Int

        package var description: String { "\(path):\(line)" }
    }

    /// Maps `Section.Key` to its line, for the keys that a file sets.
    package var origins: [String: Origin] = [:]
    /// Keys that were read but no longer have any effect: where, and why.
    package var remarks: [SettingsProblem] = []

    package init() {}

    /// Reads files in order; a later value replaces an earlier one. If anything is wrong, every problem is reported and
    /// no value is used.
    package static func read(_ files: [SettingsText]) -> Result<EffectiveSettings, SettingsProblems> {
        var settings = EffectiveSettings()
        var problems: [SettingsProblem] = []
        for file in files { settings.read(file, &problems) }
        if problems.isEmpty { settings.checkTogether(&problems) }
        return problems.isEmpty ? .success(settings) : .failure(SettingsProblems(all: problems))
    }

    private mutating func read(_ file: SettingsText, _ problems: inout [SettingsProblem]) {
        var section: String?
        var number = 0
        // Not at every newline character of Unicode: what an editor shows as one line is one line.
        let lines = file.text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for line in lines {
            number += 1
            let line = trimmed(line)
            do throws(SettingsFlaw) {
                if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
                if line.hasPrefix("[") {
                    section = nil
                    section = try EffectiveSettings.section(line)
                } else if let remark = FormerSettingsKey.remark(on: line, in: section) {
                    remarks.append(SettingsProblem(path: file.path, line: number, text: remark))
                } else {
                    try assign(line, in: section, at: Origin(path: file.path, line: number))
                }
            } catch {
                problems.append(SettingsProblem(path: file.path, line: number, text: error.text))
            }
        }
    }

    private static func section(_ line: Substring) throws(SettingsFlaw) -> String {
        let name = String(line.dropFirst().dropLast())
        let isKnown = name == groupsSection || SettingsKey.all.contains { $0.section == name }
        guard line.hasSuffix("]"), isKnown else {
            let known = (SettingsKey.sections + [groupsSection]).map { "[\($0)]" }.joined(separator: " ")
            throw SettingsFlaw("unknown section \(quoted(line)); there are \(known)")
        }
        return name
    }

    private mutating func assign(_ line: Substring, in section: String?, at origin: Origin) throws(SettingsFlaw) {
        guard !line.hasSuffix("\\") else { throw SettingsFlaw("a line cannot be continued on the next one") }
        guard let equals = line.firstIndex(of: "=") else {
            // Quotes only the first word: a password may follow (P12).
            throw SettingsFlaw("neither [Section] nor Key=value: \(quoted(line.prefix { !$0.isWhitespace }))")
        }
        let name = trimmed(line[..<equals])
        let value = trimmed(line[line.index(after: equals)...])
        guard let section else { throw SettingsFlaw("\(quoted(name)) stands in no [Section]") }
        if section == EffectiveSettings.groupsSection {
            return try assignGroup(String(name), String(value), at: origin)
        }
        guard let key = SettingsKey.all.first(where: { $0.section == section && $0.name == name }) else {
            let known = SettingsKey.all.filter { $0.section == section }.map(\.name).joined(separator: ", ")
            throw SettingsFlaw("unknown key \(quoted(name)) in [\(section)]; it has \(known)")
        }
        let place = "\(section).\(key.name)"
        guard !value.isEmpty else {
            key.reset(&values)
            origins[place] = nil
            return
        }
        do throws(SettingsFlaw) {
            try key.apply(&values, String(value))
        } catch {
            // A value that may contain a password stays out of messages, which are logged (P12).
            let shown = key.isSecret ? "" : quoted(value)
            throw SettingsFlaw("\(key.name)=\(shown): \(error.text) (allowed: \(key.allowed))")
        }
        origins[place] = origin
    }

    /// Checks the values that depend on another key.
    private func checkTogether(_ problems: inout [SettingsProblem]) {
        // Names the line of the first of these keys that is set. One of them is, because the defaults are consistent.
        func complain(_ keys: String..., text: String) {
            let origin = keys.compactMap { origins[$0] }.first ?? Origin(path: "entralogin.conf", line: 0)
            problems.append(SettingsProblem(path: origin.path, line: origin.line, text: text))
        }
        if values.keys.sources.contains(.file), values.keys.file == nil {
            complain("Keys.Sources", text: "Sources= names file, so File= must say which")
        }
        if values.accounts.usersGroup == values.accounts.administratorsGroup {
            complain(
                "Accounts.AdministratorsGroup",
                "Accounts.UsersGroup",
                text: "AdministratorsGroup= and UsersGroup= must differ"
            )
        }
        for flaw in groupFlaws() { complain("\(EffectiveSettings.groupsSection).\(flaw.name)", text: flaw.text) }
        for (key, isEmpty) in [
            ("Azure.AccessCheckers", values.azure.accessCheckers.isEmpty),
            ("Keys.Sources", values.keys.sources.isEmpty),
            ("DeviceSignIn.Services", values.deviceSignIn.services.isEmpty),
        ] where isEmpty {
            complain(key, text: "\(key.split(separator: ".")[1])= must name one at least")
        }
    }
}

/// All problems that one reading found.
package struct SettingsProblems: Error, Hashable, Sendable, CustomStringConvertible {
    package let all: [SettingsProblem]

    package var description: String { all.map(\.description).joined(separator: "\n") }
}

func trimmed(_ text: Substring) -> Substring {
    let blanks: Set<Character> = [" ", "\t", "\r"]
    let tail = text.drop { blanks.contains($0) }
    return tail.prefix(tail.count - tail.reversed().prefix { blanks.contains($0) }.count)
}

/// Text of a file in a message, in quotes.
func quoted(_ text: some StringProtocol) -> String { "\"\(plainText(text, limit: 60))\"" }
