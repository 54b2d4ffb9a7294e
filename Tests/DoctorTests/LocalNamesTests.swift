// SPDX-License-Identifier: Apache-2.0

import Testing
import WiredMachine

@testable import Doctor
@testable import Integration

struct LocalNamesTests {
    private static let passwd = """
        root:x:0:0::/root:/bin/bash
        user5@contoso.com:x:1001:1001::/home/user5@contoso.com:/bin/sh
        eve@fabrikam.com:x:1002:1002::/home/eve:/bin/sh
        lisa:x:1000:1000::/home/lisa:/bin/sh
        """

    private func evaluate(domains: [String] = [], mapped: String? = nil) -> [Finding] {
        var machine = WiredMachine()
        machine.texts["/etc/passwd"] = Self.passwd
        machine.texts["/etc/group"] = "user5@contoso.com:x:1001:\nteam@contoso.com:x:1003:\n"
        machine.texts["/etc/entralogin/adopted"] = mapped
        return LocalNamesRule(domains: domains).evaluate(machine)
    }

    @Test("P16: a local user or group that bears an Entra account's name is named with its line and a command")
    func found() {
        let found = evaluate()
        #expect(found.map(\.id.text) == ["names.user", "names.group"])
        #expect(found.first?.found.contains("user5@contoso.com and 1 more") == true)
        #expect(
            found.first?.place == "/etc/passwd:2" && found.first?.remedy.hasPrefix("userdel user5@contoso.com") == true
        )
        #expect(found.last?.found.contains("team@contoso.com has") == true)
    }

    @Test("Names of domains that are not Entra's here, and accounts that are Entra's by root's list, are no finding")
    func others() {
        #expect(evaluate(domains: ["fabrikam.com"]).map(\.found).contains { $0.contains("eve@fabrikam.com has") })
        #expect(evaluate(domains: ["example.com"]).isEmpty)
        let list = "entralogin-adopted 1\nuser5@contoso.com:0b1ec700-0000-4000-8000-00000000beef:1001\n"
        #expect(evaluate(domains: ["contoso.com"], mapped: list).map(\.id.text) == ["names.group"])
    }
}
