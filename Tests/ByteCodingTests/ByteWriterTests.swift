// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Testing

struct ByteWriterTests {
    @Test("What is written is read again")
    func roundTrip() throws {
        var writer = ByteWriter(capacity: 64)
        writer.write(UInt8(1))
        writer.write(UInt16(0x0203))
        writer.write(UInt32(0x0405_0607))
        writer.write(UInt64(0x0809_0a0b_0c0d_0e0f))
        try writer.writeText("Käse", lengthPrefix: .two)
        try writer.writeNested { nested throws(ByteCodingError) in try nested.writeString([1, 2, 3]) }
        writer.writeBytes([0xff])
        #expect(writer.bytes.prefix(15).elementsEqual(1...15))

        var reader = ByteReader(writer.bytes)
        _ = try reader.readBytes(15)
        #expect(try reader.readText(lengthPrefix: .two, limit: 5) == "Käse")
        var nested = try reader.readNested(limit: 7)
        #expect(try nested.readString(limit: 3) == [1, 2, 3])
        try nested.finish()
        #expect(try reader.readUInt8() == 0xff)
        try reader.finish()
    }

    @Test("A number is put in the place of four bytes, and in no other")
    func overwriting() {
        var writer = ByteWriter()
        writer.writeBytes(1...6)
        writer.overwrite(0xa0b0_c0d0, at: 1)
        #expect(writer.bytes == [1, 0xa0, 0xb0, 0xc0, 0xd0, 6])
    }

    @Test("A field that cannot be written leaves nothing behind")
    func refusals() {
        var writer = ByteWriter()
        #expect(throws: ByteCodingError.tooLong) {
            try writer.writeString([UInt8](repeating: 0, count: 65_536), lengthPrefix: .two)
        }
        #expect(throws: ByteCodingError.malformed) { try writer.writeText("a\0b") }
        #expect(throws: ByteCodingError.malformed) {
            try writer.writeNested { nested throws(ByteCodingError) in
                nested.write(UInt8(1))
                throw .malformed
            }
        }
        #expect(writer.bytes.isEmpty)
    }
}
