// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct SpaceRuleTests {
    @Test("Room enough is good; little room, or few free inodes where they are counted, is named with the folder")
    func room() {
        var machine = WiredMachine()
        machine.spaces["/home"] = FileSpace(freeBytes: 1 << 30, freeFiles: 0, totalFiles: 0)
        #expect(SpaceRule().evaluate(machine).map(\.severity) == [.good])
        machine.spaces["/home"] = FileSpace(freeBytes: 5 << 20, freeFiles: 90_000, totalFiles: 100_000)
        #expect(SpaceRule().evaluate(machine).map(\.place) == ["/home"])
        machine.spaces["/home"] = FileSpace(freeBytes: 1 << 30, freeFiles: 7, totalFiles: 100_000)
        let findings = SpaceRule().evaluate(machine)
        #expect(findings.map(\.id.text) == ["disk"] && findings[0].found.contains("only 7 more files"))
    }

    @Test("P16: a full or read-only disk of the account file keeps newcomers out; any other is a warning")
    func full() {
        var machine = WiredMachine()
        let states = [
            FileSpace(freeBytes: 100, freeFiles: 0, totalFiles: 0),
            FileSpace(freeBytes: 1 << 30, freeFiles: 2, totalFiles: 100_000),
            FileSpace(freeBytes: 1 << 30, freeFiles: 0, totalFiles: 0, isReadOnly: true),
        ]
        for state in states {
            machine.spaces = ["/var/lib/entralogin": state]
            let findings = SpaceRule().evaluate(machine)
            #expect(findings.map(\.severity) == [.error] && findings[0].keepsOut == .newcomers)
            machine.spaces = ["/var/log": state]
            #expect(!SpaceRule().evaluate(machine).contains { $0.severity == .error })
        }
        machine.spaces = ["/var/lib/entralogin": FileSpace(freeBytes: 5 << 20, freeFiles: 0, totalFiles: 0)]
        #expect(SpaceRule().evaluate(machine).map(\.severity) == [.warning])
    }

    @Test("A lastlog that large uids made look large is a note")
    func lastlog() {
        var machine = WiredMachine()
        machine.statuses["/var/log/lastlog"] = FileStatus(kind: .file, size: 1_999_259_362 * 292)
        let findings = SpaceRule().evaluate(machine)
        #expect(findings.map(\.severity) == [.good, .note] && findings[1].found.contains("543 GiB"))
        machine.statuses["/var/log/lastlog"] = FileStatus(kind: .file, size: 292_292)
        #expect(SpaceRule().evaluate(machine).map(\.severity) == [.good])
    }
}
