// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct NameCacheRuleTests {
    private func machine(_ configuration: String?, running: Bool = true) -> WiredMachine {
        var machine = WiredMachine()
        machine.texts[NameCacheRule.path] = configuration
        if running { machine.statuses[NameCacheRule.socket] = FileStatus(kind: .other, mode: 0o666) }
        return machine
    }

    @Test(
        "P16: nscd that keeps passwd keeps newcomers out, and that keeps group is a warning; the last line of each counts",
        arguments: [
            ("enable-cache passwd yes\nenable-cache group yes\n", ["nscd.passwd", "nscd.group"]),
            ("\tenable-cache\t\tgroup\t\tyes\nenable-cache passwd no\nenable-cache hosts yes\n", ["nscd.group"]),
            ("enable-cache passwd yes # ours\n", ["nscd.passwd"]),
            ("enable-cache passwd no\nenable-cache passwd yes\n", ["nscd.passwd"]),
            ("enable-cache passwd yes\nenable-cache passwd no\n", []),
            ("# enable-cache passwd yes\nenable-cache passwd maybe\nenable-cache passwd\n", []),
            ("enable-cache hosts yes\nenable-cache netgroup yes\n", []),
            ("", []),
        ] as [(String, [String])]
    )
    func table(text: String, against: [String]) {
        let findings = NameCacheRule().evaluate(machine(text))
        #expect(findings.filter { $0.severity > .good }.map(\.id.text) == against)
        #expect(findings.allSatisfy { ($0.keepsOut == .newcomers) == ($0.id.text == "nscd.passwd") })
        #expect(findings.filter { $0.severity == .good }.map(\.id.text) == (against.isEmpty ? ["nscd"] : []))
        #expect(findings.count == max(1, against.count))
    }

    @Test("Where nscd does not run, or has no settings, nothing is said", arguments: [true, false])
    func absent(isRunning: Bool) {
        let text = isRunning ? nil : "enable-cache passwd yes\n"
        #expect(NameCacheRule().evaluate(machine(text, running: isRunning)).isEmpty)
    }

    @Test("The finding has its line and its remedy, and the stamp does not rest on that file")
    func warning() throws {
        let machine = machine("# head\nenable-cache passwd yes\nenable-cache group yes\n")
        let verdict = StackCheck(on: machine).run()
        #expect(verdict.holds)
        #expect(!verdict.restsOn.contains(NameCacheRule.path))
        let findings = MachineCheck(on: machine, domain: "contoso.com", usersGroup: "u", administratorsGroup: "a").run()
        let warnings = findings.filter { $0.severity > .good && $0.id.text.hasPrefix("nscd") }
        #expect(warnings.map(\.place) == ["/etc/nscd.conf:2", "/etc/nscd.conf:3"])
        #expect(warnings.first?.found.contains("for the first time") == true)
        #expect(warnings.last?.found.contains("no sudo") == true)
        #expect(warnings.allSatisfy { $0.remedy.contains("nscd.conf") && $0.needed.hasSuffix(" no") })
    }
}
