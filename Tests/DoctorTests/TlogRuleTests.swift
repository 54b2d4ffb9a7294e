// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct TlogRuleTests {
    private static let program = "/usr/bin/tlog-rec-session"
    private static let printed = """
        {
          "shell":"\\/bin\\/bash",
          "writer":"journal",
          "log":{
            "input":false,
            "output":true
          }
        }
        """

    /// The findings on a machine that records sessions as how-to/session-recording.md says, after a change to it.
    private func findings(
        _ shell: String? = program,
        _ change: (inout WiredMachine) -> Void = { _ in }
    ) -> [Finding] {
        var machine = WiredMachine()
        machine.statuses[Self.program] = FileStatus(kind: .file, owner: 102, group: 104, mode: 0o6755)
        machine.statuses["/run/tlog"] = FileStatus(kind: .folder, owner: 102, group: 104, mode: 0o755)
        machine.texts["/usr/bin/setpriv"] = ""
        machine.programs["/usr/bin/setpriv --reuid=65534"] = ProgramResult(status: 0, output: Self.printed)
        change(&machine)
        return TlogRule(shell: shell, shellPlace: shell.map { _ in "c:2" }).evaluate(machine)
    }

    private func prints(_ old: String, _ new: String) -> (inout WiredMachine) -> Void {
        { machine in
            let output = Self.printed.replacing(old, with: new)
            machine.programs["/usr/bin/setpriv --reuid=65534"] = ProgramResult(status: 0, output: output)
        }
    }

    @Test("P16: nothing is said where tlog is nobody's shell; a machine that records is good")
    func well() {
        #expect(findings("/bin/bash").isEmpty && findings(nil).isEmpty)
        #expect(findings().map(\.severity) == [.good])
        #expect(findings("\(Self.program)-shell-zsh") { $0.texts["\(Self.program)-shell-zsh"] = "" }.isEmpty)
    }

    @Test("P16: what ends every recorded session is an error with tlog's own words")
    func ends() {
        let unreadable = findings { machine in
            let complaint = "Permission denied\nFailed loading\n"
            machine.programs["/usr/bin/setpriv --reuid=65534"] = ProgramResult(status: 1, complaint: complaint)
        }
        #expect(unreadable.map(\.severity) == [.error])
        #expect(unreadable.first?.found.hasSuffix(": Permission denied") == true)
        let noShell = findings(Self.program, prints("\\/bin\\/bash", "\\/bin\\/zsh"))
        #expect(noShell.map(\.severity) == [.error] && noShell[0].found.contains("/bin/zsh is not there"))
    }

    @Test("P16: a machine whose own name is not found is a warning: its records name no machine")
    func nameless() {
        let nameless = findings { machine in
            machine.texts["/proc/sys/kernel/hostname"] = "contoso-vm\n"
            machine.texts["/usr/bin/getent"] = ""
            machine.programs["/usr/bin/getent ahosts"] = ProgramResult(status: 2)
        }
        #expect(nameless.map(\.severity) == [.warning] && nameless[0].place == "/etc/hosts")
    }

    @Test("P16: a recording that holds nothing is a warning: no output, or a journal that keeps nothing")
    func silent() {
        #expect(findings(Self.program, prints("\"output\":true", "\"output\":false")).map(\.severity) == [.warning])
        let unstored = findings { machine in
            machine.texts["/etc/systemd/journald.conf"] = "[Journal]\nStorage=persistent\n"
            machine.texts["/etc/systemd/journald.conf.d/10.conf"] = "[Journal]\nStorage = none\n"
        }
        #expect(unstored.map(\.place) == ["/etc/systemd/journald.conf.d/10.conf:2"])
        let later = findings { machine in
            machine.texts["/etc/systemd/journald.conf"] = "[Journal]\nStorage=none\n"
            machine.texts["/etc/systemd/journald.conf.d/10.conf"] = "[Journal]\nStorage=auto\n"
        }
        #expect(later.map(\.severity) == [.good])
    }

    @Test("P16: lock files that tlog cannot write are a warning: no set-id bits, no folder, another owner")
    func locks() {
        let states: [(inout WiredMachine) -> Void] = [
            { $0.statuses[Self.program] = FileStatus(kind: .file, mode: 0o755) },
            { $0.statuses["/run/tlog"] = nil },
            { $0.statuses["/run/tlog"] = FileStatus(kind: .folder, owner: 0, mode: 0o755) },
        ]
        for state in states {
            #expect(findings(Self.program, state).map(\.id.text) == ["recording.tlog-locks"])
        }
        // A set-uid program that root owns may write anywhere.
        #expect(findings { $0.statuses[Self.program]?.owner = 0 }.map(\.severity) == [.good])
    }

    @Test("P16: accounts that signed in before Shell= was tlog are named; an account alone with tlog is looked at, too")
    func accounts() {
        let earlier = findings { $0.texts["/var/lib/entralogin/accounts"] = RemedyTests.enrolled }
        #expect(earlier.map(\.id.text) == ["recording.accounts"])
        #expect(earlier.first?.remedy == "entraloginctl users set-shell alice@contoso.com \(Self.program)")
        let alone = findings("/bin/bash") { machine in
            let text = RemedyTests.enrolled.replacing("shell=/bin/bash", with: "shell=\(Self.program)")
            machine.texts["/var/lib/entralogin/accounts"] = text
            machine.statuses["/run/tlog"] = nil
        }
        #expect(alone.map(\.id.text) == ["recording.tlog-locks"])
    }

    @Test("P16: ForceCommand switches it on for accounts of every shell, and needs the program")
    func forced() {
        let line = "Match Group entra_users\n    ForceCommand \(Self.program)\n"
        let on = findings("/bin/bash") { $0.texts["/etc/ssh/sshd_config"]? += line }
        #expect(on.map(\.severity) == [.good] && on.first?.place == "/etc/ssh/sshd_config:4")
        let missing = findings("/bin/bash") { machine in
            machine.texts["/etc/ssh/sshd_config"]? += line
            machine.statuses[Self.program] = nil
        }
        #expect(missing.map(\.severity) == [.error])
    }
}
