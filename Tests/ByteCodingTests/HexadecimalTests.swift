// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Testing

struct HexadecimalTests {
    @Test("Every byte survives; upper case is read")
    func roundTrip() throws {
        let bytes = [UInt8](0...255)
        let text = Hexadecimal.encode(bytes)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff"))
        #expect(try Hexadecimal.decode(text) == bytes)
        #expect(try Hexadecimal.decode(text.uppercased()) == bytes)
    }

    @Test("Odd lengths and other characters are refused", arguments: ["0", "abc", "0g", "0x00", "é"])
    func strictness(text: String) {
        #expect(throws: ByteCodingError.malformed) { try Hexadecimal.decode(text) }
    }
}
