// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Integration

struct LiveMachineTests {
    private let machine = LiveMachine(runner: SilentRunner())

    private struct SilentRunner: ProgramRunner {
        func run(_ path: String, _ arguments: [String]) -> ProgramResult { ProgramResult(status: 0) }
    }

    @Test("It reads plain files only, and says why not")
    func texts() throws {
        #expect(try machine.text(of: "/etc/passwd").contains("root:"))
        #expect(throws: FileAbsence.absent) { try machine.text(of: "/etc/passwd/x") }
        #expect(throws: (any Error).self) { try machine.text(of: "/dev/zero") }
        #expect(throws: (any Error).self) { try machine.text(of: "/etc") }
        #expect(try machine.status(of: "/etc").kind == .folder)
        #expect(try machine.status(of: "/etc/passwd").owner == 0)
    }

    @Test("It expands patterns, loads what can be loaded and tells what runs")
    func world() {
        #expect(machine.paths(matching: "/etc/pass*").contains("/etc/passwd"))
        #expect(machine.paths(matching: "/nowhere/*").isEmpty)
        #expect(machine.complaintOnLoading(module: "libc.so.6") == nil)
        #expect(machine.complaintOnLoading(module: "/etc/passwd") != nil)
        #expect(machine.isRunning(pid: 1))
        #expect(!machine.isRunning(pid: 0))
    }

    @Test(
        "Only a folder below /run is made for sshd",
        arguments: [
            ("Missing privilege separation directory: /run/sshd\r\n", "/run/sshd"),
            ("Missing privilege separation directory: /var/empty", nil),
            ("Missing privilege separation directory: /run/../etc", nil),
            ("something else", nil),
        ] as [(String, String?)]
    )
    func missingFolder(complaint: String, folder: String?) {
        #expect(LiveMachine.missingFolder(named: complaint) == folder)
    }
}
