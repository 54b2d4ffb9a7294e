// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct NeighbourRuleTests {
    private func evaluate(_ line: String) -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/etc/nsswitch.conf"] = "passwd: \(line)\ngroup: files entralogin\n"
        return NeighbourRule().evaluate(machine)
    }

    @Test(
        "Without another directory nothing is said",
        arguments: ["files systemd entralogin", "compat entralogin", "files"]
    )
    func alone(line: String) {
        #expect(evaluate(line).isEmpty)
    }

    @Test("Another directory before us is a note: its accounts win; behind us a warning: they would lose")
    func beside() {
        let before = evaluate("files [SUCCESS=merge] sss winbind entralogin")
        #expect(before.map(\.severity) == [.note] && before[0].found.contains("sss, winbind"))
        #expect(before[0].needed.contains("Domains="))
        let behind = evaluate("files entralogin [NOTFOUND=continue] winbind")
        #expect(behind.map(\.id.text) == ["neighbour.passwd"] && behind[0].severity == .warning)
        #expect(behind[0].place == "/etc/nsswitch.conf:1")
    }
}
