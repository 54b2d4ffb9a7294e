// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import Systemd

@Suite struct JournalTests {
    @Test("a record without a journal is one line with its level and quoted fields")
    func line() {
        let record = LogRecord(.notice, "Signed in", [LogField("ENTRALOGIN_USER", "alice@contoso.com")])
        #expect(record.line == "<5>Signed in ENTRALOGIN_USER=\"alice@contoso.com\"\n")
    }

    @Test("P12: control characters, newlines and quotes cannot forge a second record or field")
    func forging() {
        let record = LogRecord(.notice, "a\nb\u{1b}[1m", [LogField("X", "1\" Y=\"2\n<0>boo\u{202e}")])
        let line = record.line
        #expect(line == "<5>a\\u{a}b\\u{1b}[1m X=\"1\\\" Y=\\\"2\\\\u{a}<0>boo\\\\u{202e}\"\n")
        #expect(line.filter(\.isNewline).count == 1)
    }

    @Test("P12: a value from outside is bounded")
    func bounded() {
        let text = LogText.bounded(String(repeating: "ä", count: 10_000))
        #expect(text.utf8.count <= Journal.longestValue + 4)
        #expect(text.hasSuffix("…"))
    }
}
