// SPDX-License-Identifier: Apache-2.0

package import Identity
internal import Integration

/// The lines that mapped accounts add to the files of this machine.
package struct MappingLines: Hashable, Sendable {
    private static let firstLine = "entralogin-adopted-lines 1"
    /// Bytes of the note.
    package static let byteLimit = 8 << 20

    package var people: [MappedPerson] = []
    /// Lines of passwd(5) and group(5).
    package var passwd: [String] = []
    package var group: [String] = []

    package init() {}

    package var isEmpty: Bool { people.isEmpty && passwd.isEmpty && group.isEmpty }

    /// `groupNames`: the groups that are already in /etc/group.
    init(_ accounts: [OldAccount], groupNames: Set<String>) {
        for account in accounts {
            guard let person = MappedPerson(name: account.name, objectID: account.objectID, uid: account.uid) else {
                continue
            }
            people.append(person)
            let name = DisplayName.cleaned(account.displayName)
            passwd.append(
                "\(person.name):\(MappingList.mark):\(person.uid):\(person.uid):\(name):\(account.home):\(account.shell)"
            )
            if !groupNames.contains(person.name.text) { group.append("\(person.name):*:\(person.uid):") }
        }
    }

    // MARK: What is kept of them, for the way back

    package init?(parsing bytes: [UInt8]) {
        guard bytes.count <= MappingLines.byteLimit, let text = String(validating: bytes, as: UTF8.self) else {
            return nil
        }
        var lines = text.lines
        guard lines.popLast()?.isEmpty == true, lines.first == Substring(MappingLines.firstLine) else { return nil }
        for line in lines.dropFirst() {
            if line.hasPrefix("list "), let person = MappedPerson(line: line.dropFirst(5)) {
                people.append(person)
            } else if line.hasPrefix("passwd ") {
                passwd.append(String(line.dropFirst(7)))
            } else if line.hasPrefix("group ") {
                group.append(String(line.dropFirst(6)))
            } else {
                return nil
            }
        }
    }

    package var bytes: [UInt8] {
        let lines =
            [MappingLines.firstLine] + people.map { "list \($0.line)" } + passwd.map { "passwd \($0)" }
            + group.map { "group \($0)" }
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }

    /// The lines of both, each once.
    package func adding(_ other: MappingLines) -> MappingLines {
        var sum = self
        sum.people += other.people.filter { !people.contains($0) }
        sum.passwd += other.passwd.filter { !passwd.contains($0) }
        sum.group += other.group.filter { !group.contains($0) }
        return sum
    }

    // MARK: The files with and without them

    /// The file with those of the lines appended that it lacks.
    static func adding(_ lines: [String], to file: [UInt8]) -> [UInt8] {
        let present = Set(file.split(separator: lineEnd).map(Array.init))
        let missing = lines.map { Array($0.utf8) }.filter { !present.contains($0) }
        let gap: [UInt8] = missing.isEmpty || file.isEmpty || file.last == lineEnd ? [] : [lineEnd]
        return missing.reduce(into: file + gap) { $0 += $1 + [lineEnd] }
    }

    /// The lines whose names are not in the file.
    static func missing(_ lines: [String], in file: [UInt8]) -> [String] {
        let present = Set(file.split(separator: lineEnd).map { name(Array($0)) })
        return lines.filter { !present.contains(name(Array($0.utf8))) }
    }

    /// A file after the written lines were removed.
    struct Removal {
        var file: [UInt8] = []
        /// The removed lines, as they were in the file.
        var removed: [String] = []
        /// The names whose lines were edited since, and stay.
        var left: [String] = []
    }

    /// A passwd line counts as the written one if name, numbers and mark are the same; root may have changed home or
    /// shell. A group line must be the same word for word.
    static func removing(_ lines: [String], from file: [UInt8]) -> Removal {
        let written = Dictionary(lines.map { (name(Array($0.utf8)), $0) }, uniquingKeysWith: { first, _ in first })
        var removal = Removal()
        var rest = file.split(separator: lineEnd, omittingEmptySubsequences: false).map(Array.init)
        rest.removeAll { bytes in
            guard let before = written[name(bytes)] else { return false }
            let now = String(decoding: bytes, as: UTF8.self)
            guard now == before || isSameRecord(now, before) else {
                removal.left.append(String(decoding: name(bytes), as: UTF8.self))
                return false
            }
            removal.removed.append(now)
            return true
        }
        removal.file = Array(rest.joined(separator: [lineEnd]))
        return removal
    }

    private static func isSameRecord(_ now: String, _ before: String) -> Bool {
        let fields = [now, before].map { $0.split(separator: ":", omittingEmptySubsequences: false) }
        return fields.allSatisfy { $0.count == 7 && $0[1] == MappingList.mark } && fields[0][..<4] == fields[1][..<4]
    }

    private static let lineEnd = UInt8(ascii: "\n")

    /// The first field.
    static func name(_ line: String) -> Substring { line.prefix { $0 != ":" } }

    private static func name(_ line: [UInt8]) -> [UInt8] { Array(line.prefix { $0 != UInt8(ascii: ":") }) }
}
