// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct ReadableFilesRuleTests {
    private static let module = "/usr/lib/x86_64-linux-gnu/libnss_entralogin.so.2"

    @Test(
        "P16: a file of names that users may not read keeps everybody out",
        arguments: [0o000, 0o600, 0o640] as [UInt32]
    )
    func closed(mode: UInt32) {
        for path in ["/etc/passwd", "/etc/group", "/etc/nsswitch.conf", Self.module] {
            var machine = WiredMachine()
            machine.statuses[path] = FileStatus(kind: .file, mode: mode)
            let findings = ReadableFilesRule().evaluate(machine)
            #expect(findings.map(\.place) == [path] && findings[0].keepsOut == .everybody)
            #expect(findings[0].remedy == "chmod a+r \(path)")
        }
    }

    @Test("As they are installed, they are good")
    func good() {
        #expect(ReadableFilesRule().evaluate(WiredMachine()).map(\.severity) == [.good])
    }
}
