// SPDX-License-Identifier: Apache-2.0

package import Integration

/// The administrator's list of local accounts that may stay beside Entra, and of the ways to sign in to each. A line is
/// `NAME WAY ...`, with the words of `LocalWay`; `#` begins a comment.
package struct AllowList: Sendable {
    package static let standard = "/etc/entralogin/allowed-accounts"
    static let lineLimit = 512
    static let nameLimit = 256
    static let accountLimit = 1000

    private(set) var allowed: [String: Set<LocalWay>] = [:]
    /// Every line that cannot be parsed. A list with a problem is not used.
    package private(set) var problems: [AuditProblem] = []

    package init() {}

    /// Nil if the file is absent. A file that others than root could write is a problem, whatever its content.
    package static func read(_ path: String, on machine: any HostView) -> AllowList? {
        var list = AllowList()
        do throws(FileAbsence) {
            let status = try machine.status(of: path)
            guard status.owner == 0, status.mode & 0o022 == 0 else {
                list.problems = [AuditProblem(path, "must be root's, and writable by nobody else")]
                return list
            }
            list.read(try machine.text(of: path), path)
        } catch .absent {
            return nil
        } catch {
            list.problems = [AuditProblem(path, "cannot be read")]
        }
        return list
    }

    mutating func read(_ text: String, _ path: String) {
        for (index, raw) in text.lines.enumerated() {
            let line = raw.prefix { $0 != "#" }
            let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map(String.init)
            guard let name = words.first else { continue }
            let place = "\(path):\(index + 1)"
            if let flaw = flaw(of: raw, words) {
                problems.append(AuditProblem(place, flaw))
            } else {
                allowed[name] = Set(words.dropFirst().compactMap(LocalWay.init))
            }
        }
    }

    private func flaw(of line: Substring, _ words: [String]) -> String? {
        let known = LocalWay.allCases.map(\.rawValue).joined(separator: ", ")
        guard line.utf8.count <= AllowList.lineLimit else { return "longer than \(AllowList.lineLimit) bytes" }
        guard words[0].utf8.count <= AllowList.nameLimit else {
            return "a name longer than \(AllowList.nameLimit) bytes"
        }
        guard words.count > 1 else { return "say which ways are allowed: \(known)" }
        if let unknown = words.dropFirst().first(where: { LocalWay(rawValue: $0) == nil }) {
            return "'\(unknown)' is none of \(known)"
        }
        guard Set(words.dropFirst()).count == words.count - 1 else { return "a way stands there twice" }
        guard allowed[words[0]] == nil else { return "\(words[0]) has a line already" }
        guard allowed.count < AllowList.accountLimit else { return "more than \(AllowList.accountLimit) accounts" }
        return nil
    }

    func allows(_ way: LocalWay, for name: String) -> Bool { allowed[name]?.contains(way) ?? false }
}
