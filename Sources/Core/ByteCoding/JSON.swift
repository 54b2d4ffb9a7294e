// SPDX-License-Identifier: Apache-2.0

/// A JSON value (RFC 8259), read strictly: no duplicate names, no bytes left over, bounded depth and number of values.
///
/// Not Foundation's parser: it accepts duplicate names (the last one wins), and costs 7 MB of program, 2 MB of memory
/// and glibc 2.35.
package enum JSON: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// As it was written; the caller interprets it.
    case number(String)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    package enum Limit {
        /// Nested arrays and objects; Azure's answers have 6.
        package static let depth = 32
        /// Values in one document.
        package static let values = 100_000
        /// Characters of a number.
        package static let numberCharacters = 64
    }

    /// The object's member of that name; nil if it is missing or `null`, and for values that are not objects.
    package subscript(name: String) -> JSON? {
        guard case .object(let members) = self, let member = members[name], member != .null else { return nil }
        return member
    }

    package var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var elements: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var truth: Bool? {
        guard case .boolean(let truth) = self else { return nil }
        return truth
    }

    /// A whole number, written as one.
    package var integer: Int64? {
        guard case .number(let literal) = self else { return nil }
        return Int64(literal)
    }

    /// A whole number, or a text that is one: the metadata service writes numbers as texts.
    package var integerOrText: Int64? {
        if let integer { return integer }
        guard let text, text.utf8.count <= 20, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int64(text)
    }
}

/// Why bytes are not a JSON document: what is wrong, and at which byte. It quotes none of them.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { text }
}

extension JSON {
    /// The value as bytes, object members in the order of their names.
    package var bytes: [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    /// The value as text for people, with one member or element on each line.
    package var indented: String {
        var output: [UInt8] = []
        append(to: &output, indentedBy: 0)
        return String(decoding: output, as: UTF8.self)
    }

    private func append(to output: inout [UInt8], indentedBy depth: Int) {
        let indentation = "\n" + String(repeating: "  ", count: depth)
        switch self {
        case .array(let elements) where !elements.isEmpty:
            for (index, element) in elements.enumerated() {
                output += (index == 0 ? "[" : ",").utf8
                output += "\(indentation)  ".utf8
                element.append(to: &output, indentedBy: depth + 1)
            }
            output += "\(indentation)]".utf8
        case .object(let members) where !members.isEmpty:
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                output += (index == 0 ? "{" : ",").utf8
                output += "\(indentation)  ".utf8
                JSON.append(member.key, to: &output)
                output += " : ".utf8
                member.value.append(to: &output, indentedBy: depth + 1)
            }
            output += "\(indentation)}".utf8
        default: append(to: &output)
        }
    }

    private func append(to output: inout [UInt8]) {
        switch self {
        case .null: output += "null".utf8
        case .boolean(let truth): output += (truth ? "true" : "false").utf8
        case .number(let literal): output += literal.utf8
        case .string(let text): JSON.append(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.append(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSON.append(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.append(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// RFC 8259, 7: quotes, backslashes and controls escaped; the rest as UTF-8.
    private static func append(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7f:
                let digits = String(byte, radix: 16)
                output += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
