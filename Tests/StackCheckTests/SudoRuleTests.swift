// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StackCheck

struct SudoRuleTests {
    private func judge(_ text: String?, visudo: ProgramResult = ProgramResult(status: 0)) -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = text
        machine.texts["/usr/sbin/visudo"] = ""
        machine.programs["/usr/sbin/visudo -c"] = visudo
        return SudoRule().judge(machine)
    }

    @Test(
        "A sudo that reads its folder is fine",
        arguments: [
            "@includedir /etc/sudoers.d\n", "root ALL=ALL\n#includedir  /etc/sudoers.d",
            "@includedir \"/etc/sudoers.d\"",
        ]
    )
    func reads(text: String) {
        #expect(judge(text).isEmpty)
    }

    @Test("A folder that is not read, and a mistake in any file, are named")
    func wrong() {
        #expect(judge("root ALL=ALL\n# @includedir /etc/sudoers.d\n").map(\.id) == ["sudoers.folder"])
        let mistake = ProgramResult(status: 1, complaint: "/etc/sudoers.d/x:1:3: syntax error\n")
        let findings = judge("@includedir /etc/sudoers.d\n", visudo: mistake)
        #expect(findings.map(\.id) == ["sudoers.syntax"] && findings[0].found.contains("/etc/sudoers.d/x:1:3"))
    }

    @Test("Where sudo is not there, or our file is not, nothing is said here")
    func absent() {
        #expect(judge(nil).isEmpty)
        var machine = WiredMachine()
        machine.texts["/etc/sudoers.d/entralogin"] = nil
        machine.texts["/etc/sudoers"] = "root ALL=ALL\n"
        #expect(SudoRule().judge(machine).isEmpty)
    }
}
