// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// The value that this document says, by the type's own account of itself. Members that the type does not know are
    /// passed over; one that it misses, or one of another kind, and a number beyond its type, are a `JSONError`.
    package func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        let value: Any? =
            switch type {
            case is String.Type: text
            case is Bool.Type: truth
            case let number as any FixedWidthInteger.Type: self.number(as: number)
            default: try Value(from: JSONDecoding(json: self))
            }
        guard let value = value as? Value else { throw JSONError("no \(type)") }
        return value
    }

    private func number<Number: FixedWidthInteger>(as type: Number.Type) -> Number? {
        guard case .number(let literal) = self else { return nil }
        return Number(literal)
    }
}

private struct JSONDecoding: Decoder {
    let json: JSON
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = json else { throw JSONError("no object") }
        return KeyedDecodingContainer(JSONMembersRead<Key>(members: members))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = json else { throw JSONError("no array") }
        return JSONElementsRead(elements: elements)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { JSONSingleValueRead(json: json) }
}

private struct JSONMembersRead<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let members: [String: JSON]
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { members.keys.compactMap(Key.init(stringValue:)) }

    private func member(_ name: String) throws -> JSONDecoding {
        guard let member = members[name] else { throw JSONError("no member \(name)") }
        return JSONDecoding(json: member)
    }

    func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try member(key.stringValue).json == .null }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try member(key.stringValue).json.decoded(as: type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try member(key.stringValue).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try member(key.stringValue).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try member("super") }
    func superDecoder(forKey key: Key) throws -> any Decoder { try member(key.stringValue) }
}

private struct JSONElementsRead: UnkeyedDecodingContainer {
    let elements: [JSON]
    private(set) var currentIndex = 0
    var codingPath: [any CodingKey] { [] }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    init(elements: [JSON]) { self.elements = elements }

    /// The element that is next. It stays next where `body` throws.
    private mutating func next<Result>(_ body: (JSON) throws -> Result) throws -> Result {
        guard !isAtEnd else { throw JSONError("the array ends") }
        let result = try body(elements[currentIndex])
        currentIndex += 1
        return result
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd else { throw JSONError("the array ends") }
        guard elements[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next { try $0.decoded(as: type) } }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> { try next { try JSONDecoding(json: $0).container(keyedBy: type) } }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next { try JSONDecoding(json: $0).unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try next { JSONDecoding(json: $0) } }
}

private struct JSONSingleValueRead: SingleValueDecodingContainer {
    let json: JSON
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { json == .null }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try json.decoded(as: type) }
}
