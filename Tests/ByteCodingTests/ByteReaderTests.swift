// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Testing

struct ByteReaderTests {
    @Test("Integers are big-endian and read in order")
    func integers() throws {
        var reader = ByteReader([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
        #expect(try reader.readUInt8() == 0x01)
        #expect(try reader.readUInt16() == 0x0203)
        #expect(try reader.readUInt32() == 0x0405_0607)
        #expect(try reader.readUInt64() == 0x0809_0a0b_0c0d_0e0f)
        #expect(reader.isAtEnd)
        try reader.finish()
    }

    @Test("A read that does not fit throws and leaves the cursor", arguments: 0..<8)
    func truncatedIntegers(count: Int) {
        var reader = ByteReader([UInt8](repeating: 0xff, count: count))
        #expect(throws: ByteCodingError.truncated) { try reader.readUInt64() }
        if count < 4 { #expect(throws: ByteCodingError.truncated) { try reader.readUInt32() } }
        if count < 2 { #expect(throws: ByteCodingError.truncated) { try reader.readUInt16() } }
        if count < 1 { #expect(throws: ByteCodingError.truncated) { try reader.readUInt8() } }
        #expect(throws: ByteCodingError.truncated) { try reader.readBytes(count + 1) }
        #expect(throws: ByteCodingError.truncated) { try reader.readBytes(-1) }
        #expect(reader.position == 0)
        #expect(reader.remaining == count)
    }

    @Test("A string is read whole, at every prefix width, up to its limit")
    func strings() throws {
        var long = ByteReader([0, 0, 0, 2, 65, 66, 0, 1, 67])
        #expect(try long.readString(limit: 2) == [65, 66])
        #expect(try long.readText(lengthPrefix: .two, limit: 1) == "C")
        try long.finish()
    }

    @Test("A string above its limit, or longer than what is left, is refused and the cursor stays")
    func stringLimits() {
        var reader = ByteReader([0, 0, 0, 3, 65, 66])
        #expect(throws: ByteCodingError.tooLong) { try reader.readString(limit: 2) }
        #expect(throws: ByteCodingError.truncated) { try reader.readString(limit: 3) }
        #expect(reader.position == 0)
        var greatest = ByteReader([0xff, 0xff, 0xff, 0xff])
        #expect(throws: ByteCodingError.truncated) { try greatest.readString(limit: .max) }
        #expect(greatest.position == 0)
    }

    @Test(
        "Text must be UTF-8 without NUL",
        arguments: [[0x41, 0x00], [0xff, 0xfe], [0xc0, 0xaf], [0xed, 0xa0, 0x80]]
    )
    func text(content: [UInt8]) {
        var reader = ByteReader([0, UInt8(content.count)] + content)
        #expect(throws: ByteCodingError.malformed) { try reader.readText(lengthPrefix: .two, limit: 9) }
        #expect(reader.position == 0)
    }

    @Test("Leftovers are refused, also inside a nested field")
    func leftovers() throws {
        var reader = ByteReader([0, 0, 0, 5, 0, 0, 0, 0, 9, 7])
        var nested = try reader.readNested(limit: 5)
        #expect(try nested.readString(limit: 5) == [])
        #expect(throws: ByteCodingError.trailingBytes) { try nested.finish() }
        #expect(try nested.readUInt8() == 9)
        try nested.finish()
        #expect(throws: ByteCodingError.truncated) { try nested.readUInt8() }
        #expect(throws: ByteCodingError.trailingBytes) { try reader.finish() }
    }

    @Test("A range is the place of the content in the bytes")
    func ranges() throws {
        var reader = ByteReader([9, 9, 0, 0, 0, 1, 7, 8], in: 2..<7)
        #expect(try reader.readRange(limit: 1) == 6..<7)
        try reader.finish()
    }
}
