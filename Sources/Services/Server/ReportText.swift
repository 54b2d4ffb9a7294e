// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// Reports as JSON, which the tool reads back with the standard decoder; a test holds every report against that.
///
/// Understood: structures, arrays, dictionaries by text, optionals (absent where nil), enumerations by raw value, text,
/// numbers and truth values. Anything else traps in tests and reads as null.
enum ReportText {
    static func json(_ report: some Encodable & Sendable) -> [UInt8] { JSON(reflecting: report).bytes }
}

extension JSON {
    fileprivate init(reflecting value: Any) {
        switch value {
        case let text as String: self = .string(text)
        case let truth as Bool: self = .boolean(truth)
        case let number as any BinaryInteger: self = .number("\(number)")
        case let choice as any RawRepresentable: self.init(reflecting: choice.rawValue)
        case let list as [Any]: self = .array(list.map(JSON.init(reflecting:)))
        case let table as [String: Any]: self = .object(table.mapValues(JSON.init(reflecting:)))
        default: self.init(membersOf: value)
        }
    }

    private init(membersOf value: Any) {
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: self = mirror.children.first.map { JSON(reflecting: $0.value) } ?? .null
        case .struct:
            var members: [String: JSON] = [:]
            for child in mirror.children {
                guard let label = child.label else { continue }
                let member = JSON(reflecting: child.value)
                if member != .null { members[label] = member }
            }
            self = .object(members)
        default:
            assertionFailure("a report holds something that is no JSON: \(type(of: value))")
            self = .null
        }
    }
}
