// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Integration

struct SSHDListenerTests {
    /// sshd listens as process 812 and has read its configuration at 100.
    private var listening: WiredMachine {
        var machine = WiredMachine()
        machine.texts["/run/sshd.pid"] = "812\n"
        machine.statuses["/run/sshd.pid"] = FileStatus(kind: .file, modified: 100)
        machine.running = [812]
        return machine
    }

    @Test("P4: a listener that has not read what stands on disk holds the stamp back until it is reloaded")
    func stale() throws {
        var machine = listening
        #expect(machine.errors.isEmpty)
        machine.statuses["/etc/ssh/sshd_config"] = FileStatus(kind: .file, changed: 101)
        let finding = try #require(machine.errors.first)
        #expect(finding.id.text == "sshd.running")
        #expect(finding.place == "/etc/ssh/sshd_config")
        machine.statuses["/run/sshd.pid"] = FileStatus(kind: .file, modified: 102)
        #expect(machine.errors.isEmpty)
    }

    @Test("A listener that was found good keeps its standing when files change after it")
    func trusted() {
        var machine = listening
        machine.statuses["/etc/ssh/sshd_config"] = FileStatus(kind: .file, changed: 101)
        #expect(StackCheck(on: machine, trusting: SSHDListener(pid: 812, readAt: 100)).run().holds)
        #expect(!StackCheck(on: machine, trusting: SSHDListener(pid: 812, readAt: 99)).run().holds)
        #expect(!StackCheck(on: machine, trusting: SSHDListener(pid: 811, readAt: 100)).run().holds)
    }

    @Test("A pid file of a process that has ended, or none, says nothing: the next sshd reads the disk")
    func ended() {
        var machine = listening
        machine.statuses["/etc/ssh/sshd_config"] = FileStatus(kind: .file, changed: 101)
        machine.running = []
        #expect(machine.errors.isEmpty)
        machine.texts["/run/sshd.pid"] = nil
        #expect(machine.errors.isEmpty)
    }
}
