// SPDX-License-Identifier: Apache-2.0

/// Appends fields to bytes; the counterpart of `ByteReader`.
package struct ByteWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package mutating func write(_ value: UInt8) { bytes.append(value) }

    package mutating func write(_ value: UInt16) { writeInteger(UInt64(value), width: 2) }

    package mutating func write(_ value: UInt32) { writeInteger(UInt64(value), width: 4) }

    package mutating func write(_ value: UInt64) { writeInteger(value, width: 8) }

    /// The bytes as they are, without a length before them.
    package mutating func writeBytes(_ content: some Collection<UInt8>) { bytes.append(contentsOf: content) }

    /// A length-prefixed field. `tooLong`, and nothing is written, where the length does not fit its prefix.
    package mutating func writeString(
        _ content: some Collection<UInt8>,
        lengthPrefix: LengthPrefix = .four
    ) throws(ByteCodingError) {
        let count = content.count
        switch lengthPrefix {
        case .two:
            guard let length = UInt16(exactly: count) else { throw .tooLong }
            write(length)
        case .four:
            guard let length = UInt32(exactly: count) else { throw .tooLong }
            write(length)
        }
        writeBytes(content)
    }

    /// A length-prefixed field that holds text. `malformed`, and nothing is written, where the text holds a NUL.
    package mutating func writeText(
        _ text: String,
        lengthPrefix: LengthPrefix = .four
    ) throws(ByteCodingError) {
        var text = text
        let isClean = text.withUTF8 { !$0.contains(0) }
        guard isClean else { throw .malformed }
        try writeString(text.utf8, lengthPrefix: lengthPrefix)
    }

    /// A length-prefixed field whose content `compose` writes. Nothing is written where it throws.
    package mutating func writeNested(
        lengthPrefix: LengthPrefix = .four,
        _ compose: (inout ByteWriter) throws(ByteCodingError) -> Void
    ) throws(ByteCodingError) {
        var nested = ByteWriter()
        try compose(&nested)
        try writeString(nested.bytes, lengthPrefix: lengthPrefix)
    }

    /// Replaces the four bytes at `position`, which must have been written (a trap otherwise), by `value`.
    package mutating func overwrite(_ value: UInt32, at position: Int) {
        for index in 0..<4 { bytes[position + index] = UInt8(truncatingIfNeeded: value >> (24 - 8 * index)) }
    }

    private mutating func writeInteger(_ value: UInt64, width: Int) {
        for index in 1...width { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * (width - index)))) }
    }
}
