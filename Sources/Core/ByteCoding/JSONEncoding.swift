// SPDX-License-Identifier: Apache-2.0

extension JSON {
    /// The value as JSON, by its own account of itself: structures are objects without the members that are nil,
    /// sequences are arrays. A number with a fraction has no place in a report, and is an error, as whatever `value`
    /// throws is.
    package init<Value: Encodable>(encoding value: Value) throws {
        switch value {
        case let text as String: self = .string(text)
        case let truth as Bool: self = .boolean(truth)
        case let number as any BinaryInteger: self = .number("\(number)")
        case is any BinaryFloatingPoint: throw JSONError("a number with a fraction")
        default:
            let place = JSONPlace()
            try value.encode(to: JSONEncoding(place: place))
            self = place.json
        }
    }
}

/// What was encoded so far of one value. The containers that one encoder hands out share it.
private final class JSONPlace {
    enum Content {
        case nothing
        case value(JSON)
        case array([JSONPlace])
        case object([String: JSONPlace])
    }

    var content = Content.nothing

    init(_ content: Content = .nothing) { self.content = content }

    var json: JSON {
        switch content {
        // A type without members is an object without members.
        case .nothing: .object([:])
        case .value(let value): value
        case .array(let elements): .array(elements.map(\.json))
        case .object(let members): .object(members.mapValues(\.json))
        }
    }

    var count: Int {
        guard case .array(let elements) = content else { return 0 }
        return elements.count
    }

    func append(_ element: JSONPlace) {
        var elements: [JSONPlace] = []
        if case .array(let before) = content { elements = before }
        // So that the array has one owner, and grows in place.
        content = .nothing
        elements.append(element)
        content = .array(elements)
    }

    func set(_ member: JSONPlace, for name: String) {
        var members: [String: JSONPlace] = [:]
        if case .object(let before) = content { members = before }
        content = .nothing
        members[name] = member
        content = .object(members)
    }
}

private struct JSONEncoding: Encoder {
    let place: JSONPlace
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .nothing = place.content { place.content = .object([:]) }
        return KeyedEncodingContainer(JSONMembers<Key>(place: place))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .nothing = place.content { place.content = .array([]) }
        return JSONElements(place: place)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { JSONSingleValue(place: place) }
}

private struct JSONMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let place: JSONPlace
    var codingPath: [any CodingKey] { [] }

    private func member(_ name: String) -> JSONEncoding {
        let member = JSONPlace()
        place.set(member, for: name)
        return JSONEncoding(place: member)
    }

    func encodeNil(forKey key: Key) { place.set(JSONPlace(.value(.null)), for: key.stringValue) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        place.set(JSONPlace(.value(try JSON(encoding: value))), for: key.stringValue)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { member(key.stringValue).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        member(key.stringValue).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { member("super") }
    func superEncoder(forKey key: Key) -> any Encoder { member(key.stringValue) }
}

private struct JSONElements: UnkeyedEncodingContainer {
    let place: JSONPlace
    var codingPath: [any CodingKey] { [] }
    var count: Int { place.count }

    private func element() -> JSONEncoding {
        let element = JSONPlace()
        place.append(element)
        return JSONEncoding(place: element)
    }

    func encodeNil() { place.append(JSONPlace(.value(.null))) }

    func encode<Value: Encodable>(_ value: Value) throws {
        place.append(JSONPlace(.value(try JSON(encoding: value))))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        element().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { element().unkeyedContainer() }
    func superEncoder() -> any Encoder { element() }
}

private struct JSONSingleValue: SingleValueEncodingContainer {
    let place: JSONPlace
    var codingPath: [any CodingKey] { [] }

    func encodeNil() { place.content = .value(.null) }

    func encode<Value: Encodable>(_ value: Value) throws { place.content = .value(try JSON(encoding: value)) }
}
