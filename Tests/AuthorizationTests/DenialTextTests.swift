// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing

@Suite struct DenialTextTests {
    @Test("P15: a missing role names the role, the machine, that a new role counts in a minute, and the correlation id")
    func role() throws {
        let machine = try Samples.machine()
        let line = DenialText.line(
            for: Denial(.roleNotAssigned),
            on: machine.resource,
            correlation: try Samples.correlation()
        )
        #expect(
            line == """
                Azure role not assigned: ask for "Virtual Machine User Login" on this machine (\(machine.resource)); \
                if it was given just now, try again in a minute. Correlation id 0cc175b9-c0f1-46b6-831c-399e26977266
                """
        )
    }

    @Test("A lost administrator role names the administrator role")
    func administrator() throws {
        let line = DenialText.line(for: Denial(.administratorRoleNeeded), correlation: try Samples.correlation())
        #expect(line.contains("\"Virtual Machine Administrator Login\""))
    }

    @Test("A machine that may not ask: the line names what it lacks and where")
    func missingRight() throws {
        let resource = try Samples.machine().resource
        let line = DenialText.line(
            for: Denial(.identityMayNotAsk),
            on: resource,
            correlation: try Samples.correlation()
        )
        #expect(line.contains("give it Reader on this machine (\(resource))"))
    }

    @Test(
        "Every reason gives one bounded line that ends in the correlation id, and no detail",
        arguments: DenialReason.allCases
    )
    func everyReason(reason: DenialReason) throws {
        let resource = try #require(ResourceID("/subscriptions/" + String(repeating: "x", count: 2000)))
        let hostile = Denial(reason, text: "a\nb\u{1b}[31m\u{2028}c\u{202e}" + String(repeating: "é", count: 600))
        for denial in [Denial(reason, detail: "secret"), hostile] {
            let line = DenialText.line(for: denial, on: resource, correlation: try Samples.correlation())
            #expect(line.utf8.count <= 511)
            #expect(line.hasSuffix(". Correlation id 0cc175b9-c0f1-46b6-831c-399e26977266"))
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{2028}" && $0 != "\u{202e}" })
            #expect(!line.contains("secret"))
        }
    }

    @Test("Shortening cuts between characters and says so", arguments: 3..<12)
    func shorten(limit: Int) {
        let cut = DenialText.shorten("aéaéaéaéaéaé", to: limit)
        #expect(cut.utf8.count <= limit)
        #expect(cut.hasSuffix("..."))
        #expect("aéaéaéaéaéaé".hasPrefix(cut.dropLast(3)))
        #expect(DenialText.shorten("abc", to: 3) == "abc")
    }
}
