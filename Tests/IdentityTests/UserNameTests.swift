// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct UserNameTests {
    @Test(arguments: [
        "alice@contoso.com", "-x@contoso.com", "o'neil@contoso.com", "a.b_c-d@sub.contoso-x.com",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "1@2",
    ])
    func `a canonical name is taken as it is`(text: String) throws {
        #expect(try name(text).text == text)
    }

    @Test(
        "P7: what cannot be an Entra account's is no name",
        arguments: [
            "", "root", "alice", "Alice@contoso.com", "alice@", "@contoso.com", "alice@contoso..com", ".a@b.c",
            "a.@b.c",
            "a@-b.c", "a@b.c-", "a b@contoso.com", "a:b@contoso.com", "a/b@contoso.com", "a\n@contoso.com", "a\0@b.c",
            "x_y.com#ext#@contoso.com", "ä@contoso.com", "a@b@c", "%a@b.c", "+a@b.c",
            "3f2504e0-4f89-41d3-9a0c-0305e82c330",
            "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
        ]
    )
    func refused(text: String) {
        #expect(UserName(text) == nil)
    }

    @Test func `folding takes Entra's spelling, and nothing that folds only in Unicode`() throws {
        #expect(UserName(folding: "Alice@Contoso.COM") == (try name("alice@contoso.com")))
        // The Kelvin sign folds to k.
        #expect(UserName(folding: "\u{212A}im@contoso.com") == nil)
    }

    @Test func `a name has 113 bytes at most`() throws {
        let domain = String(repeating: "d", count: 48)
        #expect(UserName(String(repeating: "a", count: 64) + "@" + domain) != nil)
        #expect(UserName(String(repeating: "a", count: 65) + "@" + domain) == nil)
    }

    @Test func `a UPN has two parts, a GUID one`() throws {
        #expect(try name("a.b@c.d").localPart == "a.b")
        #expect(try name("a.b@c.d").domain == "c.d")
        let guid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
        #expect(try name(guid).localPart == guid)
        #expect(try name(guid).domain == nil)
    }
}
