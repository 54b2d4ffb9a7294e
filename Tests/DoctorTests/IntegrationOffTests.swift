// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct IntegrationOffTests {
    /// A stock Debian 12.
    private static var stock: WiredMachine {
        var machine = WiredMachine()
        machine.texts["/etc/ssh/sshd_config.d/00-entralogin.conf"] = nil
        machine.texts["/etc/nsswitch.conf"] = "passwd: files\ngroup: files\n"
        for name in ["common-account", "common-session"] {
            let lines = machine.texts["/etc/pam.d/\(name)"]?.split(separator: "\n") ?? []
            let kept = lines.filter { !$0.contains("entralogin") && !$0.contains("1879049216") }
            machine.texts["/etc/pam.d/\(name)"] = kept.joined(separator: "\n")
        }
        machine.configuration = "usepam yes\nauthorizedkeysfile .ssh/authorized_keys"
        return machine
    }

    @Test("P16: a machine on which nothing is turned on has one finding; with any part of it there, none of that kind")
    func parts() {
        let stock = IntegrationOffTests.stock
        #expect(IntegrationOff.finding(stock)?.remedy.contains("setup --apply") == true)
        #expect(
            StackCheck(on: stock).run().findings.filter { $0.severity > .note }.allSatisfy(IntegrationOff.isConsequence)
        )
        for path in [
            "/etc/ssh/sshd_config.d/00-entralogin.conf", "/etc/nsswitch.conf", "/etc/pam.d/common-account",
            "/etc/pam.d/common-session",
        ] {
            var machine = stock
            machine.texts[path] = WiredMachine().texts[path]
            #expect(IntegrationOff.finding(machine) == nil, "\(path)")
        }
    }

    @Test("An sshd that refuses its configuration, and accounts of the range, are causes of their own")
    func others() {
        #expect(!IntegrationOff.isConsequence(Finding(.sshd, .error, "refused")))
        #expect(!IntegrationOff.isConsequence(Finding(.ids(of: "user"), .error, "taken")))
        #expect(!IntegrationOff.isConsequence(Finding(.sshdPerson, .good, "well")))
    }
}
