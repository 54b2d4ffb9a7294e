// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Testing

struct Base64Tests {
    // The test vectors of RFC 4648, section 10.
    @Test(
        "The vectors of the RFC hold both ways",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func vectors(plain: String, text: String) throws {
        #expect(Base64.encode(Array(plain.utf8)) == text)
        #expect(try Base64.decode(text) == Array(plain.utf8))
        let unpadded = text.filter { $0 != "=" }
        #expect(Base64.encode(Array(plain.utf8), .url) == unpadded)
        #expect(try Base64.decode(unpadded, .url) == Array(plain.utf8))
    }

    @Test("Every length and every byte survives", arguments: [Base64.Alphabet.standard, .url])
    func roundTrip(alphabet: Base64.Alphabet) throws {
        for count in 0..<260 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ count) }
            #expect(try Base64.decode(Base64.encode(bytes, alphabet), alphabet) == bytes)
        }
    }

    @Test(
        "A second spelling of a value is refused",
        arguments: [
            "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "=", "==", "====", "Z===", "Zg==Zg==", "Zm9v\n", " Zm9v",
            "Zm 9", "Zm9-", "Zm9_", "Zm9ü", "Zm9v=", "Zm9v====",
        ]
    )
    func strictness(text: String) {
        #expect(throws: ByteCodingError.malformed) { try Base64.decode(text) }
    }

    @Test("The alphabet for URLs takes no padding and no other digits", arguments: ["Zg==", "Zm9+", "Zm9/", "Zh", "Z"])
    func urlStrictness(text: String) {
        #expect(throws: ByteCodingError.malformed) { try Base64.decode(text, .url) }
    }
}
