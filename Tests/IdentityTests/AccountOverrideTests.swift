// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct AccountOverrideTests {
    @Test(
        "A selector is a name, a domain or a local group, and is written as it is read",
        arguments: [
            ("alice@contoso.com", "alice@contoso.com"), ("Alice@Contoso.COM", "alice@contoso.com"),
            ("0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            ("*@Contoso.com", "*@contoso.com"), ("%builders", "%builders"), ("%My.Group-1", "%My.Group-1"),
        ]
    )
    func selectors(text: String, written: String) {
        #expect(AccountSelector(text)?.description == written)
        #expect(AccountSelector(written) == AccountSelector(text))
    }

    @Test(
        "P7: nothing else is one: no local name, no part of a name, nothing without a group's name",
        arguments: [
            "", "root", "*", "%", "*@", "a*@contoso.com", "%a:b", "%a b", "alice@contoso.com:", "*@a@b.c",
            "%" + String(repeating: "g", count: 33),
        ]
    )
    func none(text: String) {
        #expect(AccountSelector(text) == nil, "\(text)")
    }

    @Test("The first entry that concerns a name counts; a GUID has no domain")
    func order() throws {
        let overrides = try ["%builders", "alice@contoso.com", "*@contoso.com"].enumerated().map { index, text in
            AccountOverride(try #require(AccountSelector(text)), index)
        }
        for (text, groups, expected) in [
            ("alice@contoso.com", ["builders"], 0), ("alice@contoso.com", [], 1), ("bob@contoso.com", ["other"], 2),
            ("bob@fabrikam.com", [], nil), ("bob@fabrikam.com", ["builders"], 0), ("bob@sub.contoso.com", [], nil),
            ("0f8fad5b-d9cb-469f-a165-70867728950e", [], nil),
        ] as [(String, Set<String>, Int?)] {
            #expect(overrides.value(for: try name(text), in: groups) == expected, "\(text)")
        }
    }

    @Test("P7: one person's home may be a plain path; where several get it, it has to differ between them")
    func homes() throws {
        let name = try name("alice@contoso.com")
        let plain = try HomeTemplate("/data/alice", isForOne: true)
        #expect(Array(plain.candidates(for: name).prefix(2)) == ["/data/alice", "/data/alice-entra"])
        #expect(throws: HomeTemplate.Flaw.sameForEverybody) { try HomeTemplate("/data/alice") }
        #expect(throws: HomeTemplate.Flaw.notAPath) { try HomeTemplate("data", isForOne: true) }
    }
}
