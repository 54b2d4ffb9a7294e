// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

@Suite struct DeviceSignInRuleTests {
    private static let control = "[success=done ignore=ignore module_unknown=ignore default=die]"

    private func machine(_ line: String, before: Bool = true, timeout: String = "300") -> WiredMachine {
        var machine = WiredMachine()
        let auth = before ? "\(line)\n@include common-auth\n" : "@include common-auth\n\(line)\n"
        machine.texts["/etc/pam.d/login"] = "\(auth)@include common-account\n@include common-session\n"
        machine.texts["/etc/login.defs"] = "# LOGIN_TIMEOUT 5\nLOGIN_TIMEOUT\t\t\(timeout)\n"
        return machine
    }

    private func evaluate(_ machine: WiredMachine) -> [Finding] {
        DeviceSignInRule(services: ["login", "su"], limit: 300).evaluate(machine)
    }

    @Test("our line before the passwords is good, as it is documented")
    func good() {
        #expect(evaluate(machine(DeviceSignInRule.line)).map(\.severity) == [.good])
        #expect(DeviceSignInRule.line == "auth \(Self.control) pam_entralogin.so")
        #expect(DeviceSignInRule(services: [], limit: 300).evaluate(machine("")).isEmpty)
    }

    @Test(
        "P8: a control by which a refused person goes on is an error",
        arguments: [
            "sufficient", "optional", "required", "[success=done default=ignore]",
            "[success=done ignore=ignore auth_err=ignore default=die]", "[success=done ignore=ok default=die]",
            "[success=2 ignore=ignore default=die]", "[success=done ignore=ignore default=bad]",
        ]
    )
    func loose(_ control: String) {
        #expect(evaluate(machine("auth \(control) pam_entralogin.so")).first?.severity == .error)
    }

    @Test("a line that is missing, stands behind the passwords, or locks out without the module, is a warning")
    func warnings() {
        for wrong in [
            machine(""), machine(DeviceSignInRule.line, before: false),
            machine("auth [success=done ignore=ignore default=die] pam_entralogin.so"),
        ] {
            #expect(evaluate(wrong).map(\.severity) == [.warning])
            #expect(evaluate(wrong).first?.needed == DeviceSignInRule.line)
        }
    }

    @Test(
        "a service that does not look at the role again, or grants nothing, is named; and a login that ends too early"
    )
    func around() {
        var bare = machine(DeviceSignInRule.line)
        bare.texts["/etc/pam.d/login"] = "\(DeviceSignInRule.line)\n"
        #expect(evaluate(bare).map(\.id.text) == ["pam.login.auth", "pam.login.account", "pam.login.session"])
        #expect(evaluate(bare).dropFirst().allSatisfy { $0.severity == .error })
        #expect(
            evaluate(machine(DeviceSignInRule.line, timeout: "60")).map(\.id.text) == [
                "pam.login.auth", "pam.login.timeout",
            ]
        )
        #expect(evaluate(machine(DeviceSignInRule.line, timeout: "0")).count == 1)
    }
}
