// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct MachineCheckTests {
    private func check(_ machine: WiredMachine) -> [Finding] {
        MachineCheck(
            on: machine,
            domain: "contoso.com",
            usersGroup: "entra_users",
            administratorsGroup: "entra_admins"
        ).run()
    }

    @Test("What keeps people out around the integration does not withdraw the stack stamp")
    func noStamp() {
        var machine = WiredMachine()
        machine.configuration += "\nallowgroups sudo"
        #expect(check(machine).contains { $0.id.text == "sshd.allowgroups" && $0.severity == .error })
        #expect(StackCheck(on: machine).run().holds)
    }

    @Test("Every finding that is not good says what to do, and no two share an id, a place and a sentence")
    func remedies() {
        var machine = WiredMachine()
        machine.configuration += "\nallowgroups sudo\ndenyusers *"
        machine.texts["/etc/subuid"] = "lisa:1879000000:65536\n"
        machine.texts["/etc/nsswitch.conf"] = "passwd: files entralogin sss\ngroup: files entralogin aad\n"
        machine.texts["/sys/fs/selinux/enforce"] = "1"
        let findings = check(machine)
        #expect(findings.allSatisfy { $0.severity <= .note || !$0.remedy.isEmpty })
        #expect(Set(findings).count == findings.count)
    }

    @Test("An sshd that refuses its configuration is named with the integration, and not here")
    func refused() {
        var machine = WiredMachine()
        machine.result = ProgramResult(status: 255, complaint: "bad option")
        #expect(!check(machine).contains { $0.id.text.hasPrefix("sshd") })
    }
}
