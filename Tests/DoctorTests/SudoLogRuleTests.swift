// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct SudoLogRuleTests {
    private static let administrators = "Defaults:\"%:entralogin:administrators\""

    private func findings(_ lines: String, _ change: (inout WiredMachine) -> Void = { _ in }) -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/etc/sudoers"] = "Defaults env_reset\n@includedir /etc/sudoers.d\n"
        machine.texts["/etc/sudoers.d/zz"] = lines + "\n"
        machine.statuses["/var/log"] = FileStatus(kind: .folder, mode: 0o755)
        change(&machine)
        return SudoLogRule(groups: ["entra_admins", "entra_users"]).evaluate(machine)
    }

    private func severities(_ lines: String) -> [Severity] { findings(lines).map(\.severity) }

    @Test("P16: the I/O log is on where the last line for administrators says so, whatever it is bound to")
    func switches() {
        let on = [
            "\(Self.administrators) log_output, iolog_dir=/var/log/x",
            "Defaults log_input",
            "Defaults:%entra_users log_output",
            "Defaults !log_output\n\(Self.administrators) log_output",
            "Defaults>root log_output",
            "Defaults:lisa,%entra_admins log_output",
            "Defaults log_output\nDefaults!/bin/ls !log_output",
            "Defaults log_output\nDefaults:lisa !log_output",
            "Defaults passprompt=\"a, !log_output\", log_output",
        ]
        for lines in on { #expect(severities(lines) == [.good], "\(lines)") }
        for lines in ["Defaults:lisa log_output", "Defaults !log_output", "Defaults!/bin/ls log_output", ""] {
            #expect(severities(lines).isEmpty, "\(lines)")
        }
    }

    @Test("P16: a later line that switches it off again is named")
    func off() {
        let off = [
            "\(Self.administrators) log_output\nDefaults !log_output",
            "Defaults log_output\nDefaults>root !log_output",
            "Defaults log_output\n\(Self.administrators) !log_output",
        ]
        for lines in off {
            #expect(findings(lines).map(\.place) == ["/etc/sudoers.d/zz:2"], "\(lines)")
            #expect(severities(lines) == [.warning], "\(lines)")
        }
        #expect(severities("Defaults log_output, !log_output") == [.warning])
    }

    @Test("P16: a folder that sudo cannot write takes sudo from administrators, unless sudo is to ignore that")
    func folder() {
        let line = "\(Self.administrators) log_output, iolog_dir=/srv/log/%{user}/x"
        let states: [(inout WiredMachine) -> Void] = [
            { $0.texts["/srv/log"] = "" },
            { machine in
                machine.statuses["/srv"] = FileStatus(kind: .folder, mode: 0o755)
                machine.spaces["/srv"] = FileSpace(freeBytes: 9, freeFiles: 9, totalFiles: 9, isReadOnly: true)
            },
            { machine in
                machine.statuses["/srv/log"] = FileStatus(kind: .folder, mode: 0o755)
                machine.spaces["/srv/log"] = FileSpace(freeBytes: 0, freeFiles: 9, totalFiles: 9)
            },
        ]
        for state in states {
            #expect(findings(line, state).map(\.severity) == [.error])
            #expect(findings("\(line)\nDefaults ignore_iolog_errors", state).map(\.severity) == [.warning])
            #expect(findings("\(line)\nDefaults log_servers=a:1", state).map(\.severity) == [.good])
        }
    }

    @Test("P16: a sudo without an I/O log is named: sudo-rs, and one whose sudo.conf loads the policy alone")
    func programs() {
        let rust = findings("Defaults log_output") { machine in
            machine.texts["/usr/bin/sudo"] = ""
            machine.programs["/usr/bin/sudo --version"] = ProgramResult(status: 0, output: "sudo-rs 0.2.15\n")
        }
        #expect(rust.map(\.severity) == [.warning])
        let policy = "# of the administrator\nPlugin sudoers_policy sudoers.so\n"
        let alone = findings("Defaults log_output") { $0.texts["/etc/sudo.conf"] = policy }
        #expect(alone.map(\.place) == ["/etc/sudo.conf:2"])
        let both = findings("Defaults log_output") {
            $0.texts["/etc/sudo.conf"] = policy + "Plugin sudoers_io sudoers.so\n"
        }
        #expect(both.map(\.severity) == [.good])
    }
}
