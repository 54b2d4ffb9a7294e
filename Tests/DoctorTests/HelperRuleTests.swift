// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct HelperRuleTests {
    @Test("P16: a certificate check that cannot be run keeps everybody out; one that says how it is used is well")
    func broken() {
        var machine = WiredMachine()
        machine.programs[SSHDRule.helper] = ProgramResult(status: nil, complaint: "Exec format error")
        let findings = HelperRule().evaluate(machine)
        #expect(findings.map(\.id.text) == ["helper"] && findings[0].keepsOut == .everybody)
        #expect(findings[0].found.contains("Exec format error"))
        machine.programs[SSHDRule.helper] = ProgramResult(status: 2)
        #expect(HelperRule().evaluate(machine).isEmpty)
        machine.statuses[SSHDRule.helper] = FileStatus(kind: .file, mode: 0o600)
        #expect(HelperRule().evaluate(machine).isEmpty)
    }
}
