// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct LocalIDsRuleTests {
    private func evaluate(_ path: String, _ text: String) -> [Finding] {
        var machine = WiredMachine()
        machine.texts[path, default: ""] += text
        return LocalIDsRule().evaluate(machine)
    }

    @Test("Ids outside our range are nobody's harm")
    func outside() {
        #expect(
            evaluate("/etc/passwd", "\nlisa:x:1000:1000::/home/lisa:/bin/sh\nx:x:2147352576:1::/:/").map(\.severity)
                == [
                    .good
                ]
        )
        #expect(evaluate("/etc/subuid", "lisa:100000:65536\ncontainers:1878982656:65536\n").map(\.severity) == [.good])
        #expect(evaluate("/etc/login.defs", "UID_MAX 60000\n# UID_MAX 4294967295\n").map(\.severity) == [.good])
    }

    @Test(
        "Ids that overlap with our range are named",
        arguments: [
            ("/etc/passwd", "\nold:x:1879049216:100::/home/old:/bin/sh\n", "ids.user", "old"),
            ("/etc/group", "team:x:2147352575:\nb:x:2000000000:\n", "ids.group", "team and 1 more"),
            ("/etc/group", "team:x:1879048192:\n", "ids.group", "team"),
            ("/etc/subuid", "lisa:1879000000:65536\n", "ids.subordinate", "lisa"),
            ("/etc/subgid", "lisa:100000:4000000000\n", "ids.subordinate", "lisa"),
            ("/etc/login.defs", "UID_MIN 1000\nUID_MAX\t\t4000000000\n", "ids.defaults", "UID_MAX"),
        ]
    )
    func overlapping(path: String, text: String, id: String, words: String) {
        let findings = evaluate(path, text)
        #expect(findings.map(\.id.text) == [id] && findings[0].severity == .warning)
        #expect(findings[0].found.contains(words))
    }

    @Test("Lines that are none, and numbers beyond every id, are passed over")
    func damaged() {
        #expect(evaluate("/etc/subuid", ":::\na:b:c\nx:18446744073709551615:2\n\n").map(\.severity) == [.good])
        #expect(evaluate("/etc/passwd", "\nx:y:99999999999:1\nx\n").map(\.severity) == [.good])
    }
}
