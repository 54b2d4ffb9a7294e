// SPDX-License-Identifier: Apache-2.0

/// The width of the big-endian length before a field.
package enum LengthPrefix: Sendable {
    /// 16 bits: `string` of entralogin's own wire.
    case two
    /// 32 bits: `string` of SSH (RFC 4251, 5) and `document` of entralogin's wire.
    case four
}

/// A forward cursor over bytes it owns. A read takes the whole field, or throws and leaves the cursor where it was.
///
/// A reader of a value that must fill its bytes ends with `finish()`.
package struct ByteReader: Sendable {
    /// All bytes, also those before and after the part that may be read: positions are indices into them.
    package let bytes: [UInt8]
    /// Where the next read begins.
    package private(set) var position: Int
    /// The end of the part that may be read.
    private let end: Int

    /// Reads all of `bytes`.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    /// Reads the part `range` of `bytes`, which must lie within them (a trap otherwise).
    package init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside the bytes")
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    package var remaining: Int { end - position }

    package var isAtEnd: Bool { position == end }

    /// Throws `trailingBytes` unless everything was read.
    package func finish() throws(ByteCodingError) {
        guard isAtEnd else { throw .trailingBytes }
    }

    package mutating func readUInt8() throws(ByteCodingError) -> UInt8 {
        UInt8(truncatingIfNeeded: try readInteger(width: 1))
    }

    package mutating func readUInt16() throws(ByteCodingError) -> UInt16 {
        UInt16(truncatingIfNeeded: try readInteger(width: 2))
    }

    package mutating func readUInt32() throws(ByteCodingError) -> UInt32 {
        UInt32(truncatingIfNeeded: try readInteger(width: 4))
    }

    package mutating func readUInt64() throws(ByteCodingError) -> UInt64 {
        try readInteger(width: 8)
    }

    /// Exactly `count` bytes, without a length before them.
    package mutating func readBytes(_ count: Int) throws(ByteCodingError) -> [UInt8] {
        guard count >= 0, count <= remaining else { throw .truncated }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// The place of a length-prefixed field's content in `bytes`, without a copy; `tooLong` above `limit` bytes.
    package mutating func readRange(
        lengthPrefix: LengthPrefix = .four,
        limit: Int
    ) throws(ByteCodingError) -> Range<Int> {
        var ahead = self
        let length =
            switch lengthPrefix {
            case .two: Int(try ahead.readUInt16())
            case .four: Int(try ahead.readUInt32())
            }
        guard length <= limit else { throw .tooLong }
        guard length <= ahead.remaining else { throw .truncated }
        position = ahead.position + length
        return ahead.position..<position
    }

    /// A length-prefixed field; `tooLong` above `limit` bytes.
    package mutating func readString(
        lengthPrefix: LengthPrefix = .four,
        limit: Int
    ) throws(ByteCodingError) -> [UInt8] {
        Array(bytes[try readRange(lengthPrefix: lengthPrefix, limit: limit)])
    }

    /// A length-prefixed field that holds text: valid UTF-8 without NUL, else `malformed`.
    package mutating func readText(
        lengthPrefix: LengthPrefix = .four,
        limit: Int
    ) throws(ByteCodingError) -> String {
        let start = position
        let content = bytes[try readRange(lengthPrefix: lengthPrefix, limit: limit)]
        guard !content.contains(0), let text = String(validating: content, as: UTF8.self) else {
            position = start
            throw .malformed
        }
        return text
    }

    /// A cursor of its own over the content of a length-prefixed field; call `finish()` on it too.
    package mutating func readNested(
        lengthPrefix: LengthPrefix = .four,
        limit: Int
    ) throws(ByteCodingError) -> ByteReader {
        ByteReader(bytes, in: try readRange(lengthPrefix: lengthPrefix, limit: limit))
    }

    private mutating func readInteger(width: Int) throws(ByteCodingError) -> UInt64 {
        guard width <= remaining else { throw .truncated }
        var value: UInt64 = 0
        for index in position..<position + width { value = value << 8 | UInt64(bytes[index]) }
        position += width
        return value
    }
}
