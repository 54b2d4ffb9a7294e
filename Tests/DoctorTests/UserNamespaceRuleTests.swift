// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct UserNamespaceRuleTests {
    private func evaluate(_ map: String?) -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/proc/self/uid_map"] = map
        machine.texts["/proc/self/gid_map"] = map
        return UserNamespaceRule(numbers: 1_879_049_216...2_147_352_575).evaluate(machine)
    }

    @Test("P16: a container without the numbers of Entra accounts is named; with a part of them it is a warning")
    func containers() {
        let found = evaluate("         0     100000      65536\n")
        #expect(found.map(\.id.text) == ["namespace.ids"] && found.first?.severity == .error)
        #expect(found.first?.found.contains("no Entra account can sign in") == true)
        #expect(evaluate("0 100000 2000000000\n").map(\.severity) == [.warning])
    }

    @Test("Where all numbers are mapped, in one line or several, or where nothing is known, there is no finding")
    func whole() {
        for map in ["0 0 4294967295\n", "0 0 1\n1 1 4294967294\n", "", nil, "x y z\n"] {
            #expect(evaluate(map).isEmpty)
        }
    }
}
