// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import entraloginctl

struct CommandTableTests {
    @Test("Every command of the table is understood, with and without its options", arguments: CommandTable.all)
    func understood(entry: CommandEntry) throws {
        let sample = [
            "NAME": "a@b.c", "NEW": "d@b.c", "FILE": "f", "ID": "0b1ec700-0000-4000-8000-00000000beef",
            "SHELL": "/bin/sh",
            "FOLDER": "/data/a", "TIME": "-1h", "SECTION.KEY": "Log.Level",
        ]
        let operands = entry.operands.split { " []".contains($0) }.map {
            sample[String($0)] ?? String($0.prefix { $0 != "|" })
        }
        let words = entry.words.split(separator: " ").map(String.init)
        let invocation = try Invocation(words + operands + ["--json"])
        #expect(invocation.isJSON && invocation.command != .help(of: []))
        for option in entry.options { #expect(entry.operands.contains(option), "\(option)") }
    }

    @Test("A slip shows that command's line alone; help of a command shows its rows, each within eighty columns")
    func reminders() {
        let usage = "usage: entraloginctl users rename NAME NEW|--short"
        #expect(CommandTable.reminder(after: ["users", "rename"]) == usage)
        #expect(CommandTable.reminder(after: ["--json", "check"]).hasPrefix("usage: entraloginctl check NAME"))
        #expect(CommandTable.reminder(after: ["users", "x"]).split(separator: "\n").count > 5)
        #expect(CommandTable.reminder(after: ["x"]) == "entraloginctl --help lists the commands")
        for entry in CommandTable.all {
            let help = CommandTable.help(of: entry.words.split(separator: " ").map(String.init))
            #expect(
                help.contains(entry.usage) && help.split(separator: "\n").allSatisfy { $0.count <= Style.width + 30 }
            )
        }
    }

    @Test("The usage fits a terminal of eighty columns, and names every command and option")
    func usage() {
        let lines = CommandTable.usage.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= Style.width })
        for entry in CommandTable.all {
            #expect(lines.contains { $0.hasPrefix("  \(entry.words)") }, "\(entry.words)")
        }
        for option in CommandTable.common { #expect(CommandTable.usage.contains(option), "\(option)") }
    }
}
