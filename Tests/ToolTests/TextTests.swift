// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import entraloginctl

struct TextTests {
    @Test("Lines break at blanks and are never longer than asked, but for one long word")
    func wrap() {
        #expect(Text.wrap("one two three four", width: 9) == ["one two", "three", "four"])
        #expect(Text.wrap("", width: 9) == [""])
        #expect(Text.wrap("aaaaaaaaaaaa b", width: 5) == ["aaaaaaaaaaaa", "b"])
    }

    @Test("P12: controls from elsewhere never reach the terminal")
    func controls() {
        #expect(printable("a\u{1b}[31mb\u{7}\u{202e}\r\n") == "a?[31mb????")
    }

    @Test("Columns are as wide as their widest cell, and lines end without blanks")
    func table() {
        #expect(Text.table([["A", "B", "C"], ["long", "x", ""]]) == ["A     B  C", "long  x"])
    }

    @Test(
        "Durations are short",
        arguments: [
            (0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (7500, "2 h 5 min"), (86_400, "1 d"),
            (349_200, "4 d 1 h"), (-5, "0 s"),
        ] as [(Int64, String)]
    )
    func durations(seconds: Int64, text: String) {
        #expect(Text.duration(seconds) == text)
    }

    /// Checked against `date -u -d @SECONDS`.
    @Test(
        "Dates are those of the calendar",
        arguments: [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (1_786_975_509, "2026-08-17 14:05:09 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (-1, "-1"),
        ] as [(Int64, String)]
    )
    func dates(seconds: Int64, text: String) {
        #expect(Text.date(seconds) == text)
    }
}
