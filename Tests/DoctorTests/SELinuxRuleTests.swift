// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct SELinuxRuleTests {
    @Test("Enforcing without our module is a warning, with it good, permissive a note, and none nothing")
    func states() {
        var machine = WiredMachine()
        #expect(SELinuxRule().evaluate(machine).isEmpty)
        machine.texts["/sys/fs/selinux/enforce"] = "0"
        #expect(SELinuxRule().evaluate(machine).map(\.severity) == [.note])
        machine.texts["/sys/fs/selinux/enforce"] = "1"
        #expect(SELinuxRule().evaluate(machine).map(\.severity) == [.warning])
        machine.texts["/var/lib/selinux/targeted/active/modules/400/base"] = ""
        #expect(SELinuxRule().evaluate(machine).map(\.severity) == [.warning])
        machine.texts["/var/lib/selinux/targeted/active/modules/200/entralogin"] = ""
        #expect(SELinuxRule().evaluate(machine).map(\.severity) == [.good])
    }
}
