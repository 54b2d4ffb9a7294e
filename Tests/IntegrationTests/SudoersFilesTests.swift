// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

@Suite("P8: what sudo reads is read")
struct SudoersFilesTests {
    private func lines(_ text: String, _ more: [String: String] = [:]) -> [String] {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = text
        machine.texts["/proc/sys/kernel/hostname"] = "vm1.example.org\n"
        machine.texts.merge(more) { $1 }
        return SudoersFiles(on: machine).lines.map { "\($0.file):\($0.number) \($0.keyword) \($0.rest)" }
    }

    @Test(
        "Each spelling of an include",
        arguments: [
            "@include /etc/site x", "#include /etc/site x", "@include \"/etc/site x\"", "  @include\t/etc/site\\ x ",
            "@include \\\n/etc/site x", "@include site x",
        ]
    )
    func includes(_ line: String) {
        #expect(lines("\(line)\n", ["/etc/site x": "Defaults !a\n"]) == ["/etc/site x:1 Defaults !a"])
    }

    @Test("Every kind of Defaults, and no other word")
    func defaults() {
        let text =
            "Defaults a\nDefaults:u b\nDefaults@h c\nDefaults!/x d\nDefaults>r e\n  Defaults f\nDefaultsx g\n# Defaults h\nDefaults\\\n i\n"
        #expect(
            lines(text).filter { $0.contains(" Defaults ") }.map { $0.last } == ["a", "b", "c", "d", "e", "f", "i"]
        )
    }

    @Test("A folder's files without a dot, and the host's own file")
    func folders() {
        let more = ["/etc/d/a": "x\n", "/etc/d/b.x": "x\n", "/etc/d/c~": "x\n", "/etc/s.vm1": "y\n"]
        #expect(lines("@includedir /etc/d\n@include s.%h\n", more) == ["/etc/d/a:1 x ", "/etc/s.vm1:1 y "])
    }

    @Test("Includes without an end")
    func endless() {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = "@include /etc/sudoers\n@include /etc/sudoers\n"
        #expect(SudoersFiles(on: machine).unreadable == "/etc/sudoers")
    }
}
