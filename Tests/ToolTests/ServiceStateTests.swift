// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import entraloginctl

struct ServiceStateTests {
    @Test(
        "What systemd says of a daemon that does not answer: one that starts is waited for, one that crashes is named",
        arguments: [
            (
                "ActiveState=activating\nSubState=start\nResult=success\nNRestarts=0\n", true,
                "its unit is activating (start)"
            ),
            (
                "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nNRestarts=7\n", false,
                "its unit is activating (auto-restart) after exit-code, restarted 7 times"
            ),
            (
                "ActiveState=active\nSubState=running\nResult=success\nNRestarts=0\n", false,
                "its unit is active (running)"
            ),
            (
                "ActiveState=activating\nSubState=start\nResult=exit-code\nNRestarts=2\n", false,
                "its unit is activating (start) after exit-code, restarted 2 times"
            ),
            ("", false, "its unit is unknown (unknown)"),
        ]
    )
    func states(output: String, isStarting: Bool, text: String) {
        #expect(ServiceState(output).isStarting == isStarting)
        #expect(ServiceState(output).text == text)
    }
}
