// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Testing

@Suite struct PlainTextTests {
    @Test(
        "P12: text from outside is printable ASCII, bounded, and says where it was cut",
        arguments: [
            ("", ""), ("plain, with \"quotes\"", "plain, with \"quotes\""), ("a\nb\u{1b}[31m\u{7f}", "a?b?[31m?"),
            ("caf\u{e9} \u{202e}", "caf? ?"), (String(repeating: "x", count: 24), String(repeating: "x", count: 24)),
            (String(repeating: "x", count: 25), String(repeating: "x", count: 24) + "..."),
        ]
    )
    func ascii(text: String, plain: String) {
        #expect(plainText(text, limit: 24) == plain)
        #expect(plainText(text, limit: 24, replacing: "\"") == plain.replacing("\"", with: "?"))
    }

    @Test("P12: what ends a line, shows nothing or turns its direction is no printable character")
    func unprintable() {
        for scalar: Unicode.Scalar in [
            "\0", "\n", "\u{1b}", "\u{7f}", "\u{85}", "\u{2028}", "\u{202e}", "\u{200d}", "\u{e000}",
        ] {
            #expect(scalar.isUnprintable, "\(scalar.value)")
        }
        for scalar: Unicode.Scalar in ["a", " ", "\u{e9}", "\u{301}", "\u{1f600}", "\u{a0}"] {
            #expect(!scalar.isUnprintable, "\(scalar.value)")
        }
    }
}
