// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

private func local(_ passwd: String, _ group: String = "") -> LocalAccounts {
    LocalAccounts(passwd: Array(passwd.utf8), group: Array(group.utf8))
}

@Suite struct LocalAccountsTests {
    @Test("P7: local users and groups claim their names, numbers and homes")
    func claims() throws {
        let local = local(
            "root:x:0:0:root:/root:/bin/bash\nfrank:x:1001:1001::/home/frank@contoso.com:/bin/sh\n",
            "root:x:0:\nteam@contoso.com:x:1879050000:frank\n"
        )
        #expect(local.userNames == ["root", "frank"])
        #expect(local.claims(try name("team@contoso.com")))
        #expect(!local.claims(try name("frank@contoso.com")))
        #expect(local.claims(id: 1001))
        #expect(local.claims(id: 1_879_050_000))
        #expect(!local.claims(id: 1002))
        #expect(local.claims(home: "/home/frank@contoso.com"))
        #expect(!local.claims(home: "/home/alice@contoso.com"))
    }

    @Test("P7: another spelling of a home, and the folder above one, are claimed too")
    func homes() {
        let local = local("svc:x:990:990::/home/alice@contoso.com//./sub/:/bin/false\n")
        #expect(local.claims(home: "/home/alice@contoso.com"))
        #expect(local.claims(home: "/home/alice@contoso.com/sub"))
        #expect(!local.hasHome("/home/alice@contoso.com"))
        #expect(local.hasHome("/home/alice@contoso.com/sub"))
        #expect(!local.claims(home: "/home/alice"))
    }

    @Test("P13: of damaged lines, what can be read still counts")
    func junk() throws {
        let local = local(
            "alice@contoso.com\nbob@contoso.com:x:abc\n:::::\n::\n\n \tcarol@contoso.com:x:1879050001\n"
                + "x:x:99999999999:1::/h:/s"
        )
        for text in ["alice@contoso.com", "bob@contoso.com", "carol@contoso.com"] {
            #expect(local.claims(try name(text)))
        }
        #expect(local.uids == [1_879_050_001])
        #expect(local.hasHome("/h"))
    }

    @Test("P7: a local name in capitals is the local side's too")
    func capitals() throws {
        #expect(local("Alice@Contoso.com:x:1:1::/:/\n").claims(try name("alice@contoso.com")))
    }

    @Test func `comments and the lines of NIS say nothing`() {
        let local = local("#a:x:1:1::/a:/\n+b:x:2:2::/b:/\n-c:x:3:3::/c:/\n+::::::\n", "+:::\n#g:x:5:\n")
        #expect(local.userNames.isEmpty)
        #expect(local.groupNames.isEmpty)
        #expect(local.uids.isEmpty)
        #expect(local.gids.isEmpty)
    }

    @Test("P13: bytes that are no text crash nothing")
    func bytes() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let bytes = (0..<500).map { _ in
                // About half of the bytes are characters that have a meaning in passwd(5) and group(5).
                Bool.random(using: &random)
                    ? Array(":\n/+#09".utf8).randomElement(using: &random) ?? 0
                    : UInt8.random(in: 0...255, using: &random)
            }
            let local = LocalAccounts(passwd: bytes + Array("\nalice@contoso.com:x:7:7::/:/\n".utf8), group: bytes)
            #expect(local.claims(try name("alice@contoso.com")))
        }
        #expect(LocalAccounts(passwd: [], group: []).userNames.isEmpty)
    }
}
