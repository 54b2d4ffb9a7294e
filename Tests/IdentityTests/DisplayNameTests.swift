// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct DisplayNameTests {
    @Test(arguments: [
        ("Alice Example", "Alice Example"), ("  Alice   Example ", "Alice Example"),
        ("Müller, Jürgen", "Müller Jürgen"),
        ("a:b", "a b"), ("root:x:0:0\nroot::0:0::/:/bin/sh", "root x 0 0 root 0 0 / /bin/sh"),
        ("a\u{0}b\u{1b}[31m", "a b [31m"),
        ("a\u{2028}b\u{202e}c", "a b c"), ("R&D", "R D"), ("田中 太郎", "田中 太郎"), ("", ""), (":,:", ""),
    ])
    func `a display name is made fit for passwd`(text: String, cleaned: String) {
        #expect(DisplayName.cleaned(text) == cleaned)
        #expect(DisplayName.isAcceptable(cleaned))
    }

    @Test("P13: a display name has 255 bytes at most, cut between characters")
    func length() {
        for character in ["a", "ä", "田", "😀"] {
            let cleaned = DisplayName.cleaned(String(repeating: character, count: 1000))
            #expect(cleaned.utf8.count <= DisplayName.limit)
            #expect(cleaned.utf8.count > DisplayName.limit - character.utf8.count)
            #expect(cleaned.allSatisfy { String($0) == character })
        }
    }

    @Test func `colons, controls and long texts are not acceptable as they are`() {
        for text in ["a:b", "a\nb", "a\u{7f}", String(repeating: "a", count: 256)] {
            #expect(!DisplayName.isAcceptable(text))
        }
    }
}
