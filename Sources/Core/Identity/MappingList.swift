// SPDX-License-Identifier: Apache-2.0

internal import CWire

/// An account that root lets keep the number that it had before entralogin: one line of the list.
package struct MappedPerson: Hashable, Sendable {
    package let name: UserName
    package let objectID: ObjectID
    /// The uid and gid: outside entralogin's range, and not a system account's.
    package let uid: UInt32

    /// Nil for a number that no mapped account can have.
    package init?(name: UserName, objectID: ObjectID, uid: UInt32) {
        guard entralogin_uid_is_mappable(uid) != 0 else { return nil }
        self.name = name
        self.objectID = objectID
        self.uid = uid
    }

    private static let lineLimit = 113 + 1 + 36 + 1 + 10

    /// Reads one line of the list, without its end.
    package init?(line: Substring) {
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        guard line.utf8.count <= MappedPerson.lineLimit, fields.count == 3, let name = UserName(String(fields[0])),
            let objectID = ObjectID(fields[1]), let uid = UInt32(fields[2])
        else { return nil }
        self.init(name: name, objectID: objectID, uid: uid)
        // Refuses capital letters and leading zeros.
        guard self.line == line else { return nil }
    }

    /// One line of the list, without its end.
    package var line: String { "\(name):\(objectID):\(uid)" }
}

/// Root's list of mapped accounts (entralogin_mapped.h is its specification). By itself it maps nobody: /etc/passwd
/// must agree (`LocalAccounts`).
package struct MappingList: Hashable, Sendable {
    package static let path = "/etc/entralogin/adopted"
    package static let firstLine = "entralogin-adopted 1"
    package static let peopleLimit = 10_000
    package static let byteLimit = 2 << 20
    /// The password field of a mapped account's record in /etc/passwd.
    package static let mark = "!*adopted"

    /// Why a list is not valid.
    package struct Flaw: Error, Hashable, Sendable, CustomStringConvertible {
        /// Counted from 1.
        package let line: Int
        package let text: String

        package var description: String { "line \(line): \(text)" }
    }

    package let people: [MappedPerson]

    /// An empty list.
    package init() { people = [] }

    /// Nil if a name, an object id or a number occurs twice, or there are too many.
    package init?(_ people: [MappedPerson]) {
        guard people.count <= MappingList.peopleLimit, Set(people.map(\.name)).count == people.count,
            Set(people.map(\.objectID)).count == people.count, Set(people.map(\.uid)).count == people.count
        else { return nil }
        self.people = people
    }

    /// Reads a whole list; one bad line makes all of it invalid.
    package init(parsing bytes: [UInt8]) throws(Flaw) {
        guard bytes.count <= MappingList.byteLimit else { throw Flaw(line: 1, text: "the list is too long") }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.popLast()?.isEmpty == true else { throw Flaw(line: lines.count + 1, text: "the end is missing") }
        guard let first = lines.first, first.elementsEqual(MappingList.firstLine.utf8) else {
            throw Flaw(line: 1, text: "'\(MappingList.firstLine)' is expected")
        }
        guard lines.count - 1 <= MappingList.peopleLimit else {
            throw Flaw(line: MappingList.peopleLimit + 2, text: "more than \(MappingList.peopleLimit) people")
        }
        var people: [MappedPerson] = []
        var seen: Set<String> = []
        for (index, line) in lines.enumerated().dropFirst() {
            guard let person = MappedPerson(line: Substring(decoding: line, as: UTF8.self)) else {
                throw Flaw(line: index + 1, text: "name:object-id:uid is expected")
            }
            for key in [person.name.text, "o\(person.objectID)", "u\(person.uid)"]
            where !seen.insert(key).inserted {
                throw Flaw(line: index + 1, text: "the name, the object id or the number stands there twice")
            }
            people.append(person)
        }
        self.people = people
    }

    /// The whole file.
    package var bytes: [UInt8] {
        Array(([MappingList.firstLine] + people.map(\.line)).map { $0 + "\n" }.joined().utf8)
    }
}
