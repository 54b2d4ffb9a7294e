// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

@Suite struct HiddenProcessesRuleTests {
    private func found(_ options: String, kernel: String) -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/proc/self/mountinfo"] = """
            21 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
            22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc \(options)

            """
        machine.texts["/proc/sys/kernel/osrelease"] = kernel + "\n"
        return HiddenProcessesRule().evaluate(machine)
    }

    @Test("P16: a /proc that hides processes keeps everybody out before Linux 5.3, and is a warning since")
    func kernels() {
        #expect(found("rw,hidepid=2", kernel: "4.18.0-553.el8_10.x86_64").map(\.severity) == [.error])
        #expect(found("rw,hidepid=2", kernel: "4.18.0-553.el8_10.x86_64").map(\.keepsOut) == [.everybody])
        #expect(found("rw,hidepid=2", kernel: "6.1.0").map(\.keepsOut) == [nil])
        #expect(found("rw,gid=4,hidepid=invisible", kernel: "5.2.21").map(\.severity) == [.error])
        #expect(found("rw,hidepid=2", kernel: "5.3.0-64-generic").map(\.severity) == [.warning])
        #expect(found("rw,hidepid=1", kernel: "6.1.0-39-cloud-amd64").map(\.severity) == [.warning])
        #expect(found("rw,hidepid=2", kernel: "").map(\.severity) == [.warning])
    }

    @Test("Where /proc hides nothing there is nothing to say", arguments: ["rw", "rw,hidepid=0", "rw,hidepid=off"])
    func open(options: String) {
        #expect(found(options, kernel: "4.18.0").isEmpty)
    }
}
