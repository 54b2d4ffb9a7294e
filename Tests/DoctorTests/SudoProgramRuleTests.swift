// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct SudoProgramRuleTests {
    private func findings(_ change: (inout WiredMachine) -> Void) -> [Finding] {
        var machine = WiredMachine()
        change(&machine)
        return SudoProgramRule().evaluate(machine)
    }

    private func version(_ result: ProgramResult) -> Finding? {
        findings { $0.programs["/usr/bin/sudo --version"] = result }.first
    }

    @Test("P16: a sudo that is missing or cannot become root is named, with the command that helps")
    func program() throws {
        #expect(findings { _ in }.isEmpty)
        let gone = findings {
            $0.texts["/usr/bin/sudo"] = nil
            $0.statuses["/usr/bin/sudo"] = nil
        }
        #expect(gone.map(\.id.text) == ["sudo.program"] && gone[0].found.contains("not installed"))
        for mode: UInt32 in [0o755, 0o4750, 0o2755] {
            let closed = findings { $0.statuses["/usr/bin/sudo"] = FileStatus(kind: .file, mode: mode) }
            #expect(closed.map(\.remedy) == ["chmod 4755 /usr/bin/sudo"], "\(String(mode, radix: 8))")
        }
        let anothers = findings { $0.statuses["/usr/bin/sudo"] = FileStatus(kind: .file, owner: 7, mode: 0o4755) }
        #expect(anothers.map(\.remedy) == ["chown root /usr/bin/sudo && chmod 4755 /usr/bin/sudo"])
        // If entralogin gives sudo to no user, doctor does not check sudo.
        #expect(
            findings {
                $0.texts = [:]
                $0.statuses = [:]
            }.isEmpty
        )
    }

    @Test("P16: a sudo that goes by something else than the sudoers files is named")
    func policy() throws {
        let other = ProgramResult(status: 0, output: "Sudo version 1.9.13p3\nExample policy plugin version 1.0\n")
        #expect(version(other)?.found.contains("another plugin") == true)
        let moved = Debian12.sudoVersion.replacing("/etc/sudoers\n", with: "/etc/other\n")
        #expect(version(ProgramResult(status: 0, output: moved))?.found.contains("sudo reads /etc/other") == true)
        let listed = Debian12.sudoVersion.replacing("/etc/sudoers\n", with: "/etc/sudoers:/usr/etc/sudoers\n")
        #expect(version(ProgramResult(status: 0, output: listed)) == nil)
        let broken = ProgramResult(status: 1, complaint: "sudo: unable to load nonexistent.so\n")
        #expect(version(broken)?.found.contains("unable to load nonexistent.so") == true)
        #expect(version(ProgramResult(status: nil, complaint: "cannot be run")) != nil)
        #expect(version(ProgramResult(status: 0, complaint: "sudo-rs 0.2.5\n")) == nil)
        // An older sudo prints no path.
        let older = "Sudo version 1.8.29\nSudoers policy plugin version 1.8.29\n"
        #expect(version(ProgramResult(status: 0, output: older)) == nil)
    }
}
