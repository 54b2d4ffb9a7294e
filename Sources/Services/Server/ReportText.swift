// SPDX-License-Identifier: Apache-2.0

/// Reports as JSON (RFC 8259). The daemon needs no more of JSON than this; the tool reads it back with the standard
/// decoder, and a test holds every report against that.
///
/// Understood: structures, arrays, dictionaries by text, optionals (absent where nil), enumerations by raw value, text,
/// numbers and truth values. Anything else traps in tests and reads as null.
enum ReportText {
    static func json(_ report: some Encodable & Sendable) -> [UInt8] {
        var bytes: [UInt8] = []
        write(report, to: &bytes)
        return bytes
    }

    private static func write(_ value: Any, to bytes: inout [UInt8]) {
        switch value {
        case let text as String: writeText(text, to: &bytes)
        case let truth as Bool: bytes += (truth ? "true" : "false").utf8
        case let number as any BinaryInteger: bytes += "\(number)".utf8
        case let choice as any RawRepresentable: write(choice.rawValue, to: &bytes)
        case let list as [Any]: writeList(list, to: &bytes)
        case let table as [String: Any]:
            writeObject(table.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, to: &bytes)
        default: writeReflected(value, to: &bytes)
        }
    }

    private static func writeReflected(_ value: Any, to bytes: inout [UInt8]) {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            if let wrapped = mirror.children.first { write(wrapped.value, to: &bytes) } else { bytes += "null".utf8 }
        case .struct:
            let members = mirror.children.compactMap { child in child.label.map { ($0, child.value) } }
            writeObject(members.filter { !isNil($0.1) }, to: &bytes)
        default:
            assertionFailure("a report holds something that is no JSON: \(type(of: value))")
            bytes += "null".utf8
        }
    }

    private static func isNil(_ value: Any) -> Bool {
        let mirror = Mirror(reflecting: value)
        return mirror.displayStyle == .optional && mirror.children.isEmpty
    }

    private static func writeList(_ list: [Any], to bytes: inout [UInt8]) {
        bytes += "[".utf8
        for (index, element) in list.enumerated() {
            if index > 0 { bytes += ",".utf8 }
            write(element, to: &bytes)
        }
        bytes += "]".utf8
    }

    private static func writeObject(_ members: [(String, Any)], to bytes: inout [UInt8]) {
        bytes += "{".utf8
        for (index, member) in members.enumerated() {
            if index > 0 { bytes += ",".utf8 }
            writeText(member.0, to: &bytes)
            bytes += ":".utf8
            write(member.1, to: &bytes)
        }
        bytes += "}".utf8
    }

    /// RFC 8259, 7: quotes, backslashes and controls escaped; the rest as UTF-8.
    private static func writeText(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7f:
                let digits = String(byte, radix: 16)
                bytes += "\\u00\(digits.count < 2 ? "0" : "")\(digits)".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
