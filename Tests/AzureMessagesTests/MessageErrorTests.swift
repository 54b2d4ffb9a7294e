// SPDX-License-Identifier: Apache-2.0

import AzureMessages
import Testing

struct MessageErrorTests {
    @Test("P12: text from outside is quoted, printable, one line and bounded")
    func quoting() {
        #expect(quoted("a\"b\u{1b}[2J\u{e9}\nsecond") == "\"a?b?[2J?\"")
        #expect(quoted(String(repeating: "x", count: 300), limit: 10) == "\"xxxxxxxxxx...\"")
    }
}
