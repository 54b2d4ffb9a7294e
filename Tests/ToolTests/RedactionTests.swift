// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import entraloginctl

struct RedactionTests {
    private static let token =
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQifQ.c2lnbmF0dXJl"

    @Test(
        "P12: what has the form of a secret is taken out, wherever it stands in a line",
        arguments: [
            "Authorization: Bearer hunter2hunter2", "authorization: bearer hunter2",
            "Proxy=http://alice:hunter2@proxy:8080",
            "x https://hunter2@proxy/ y", "{\"access_token\":\"hunter2\",\"a\":1}", "?sig=hunter2&x=1",
            "client_secret=hunter2", "{\"client_secret\": \"hunter2\"}", "{\"refresh_token\" :\t\"hunter2\", \"a\": 1}",
            "{'password': 'hunter2'}", "secret = hunter2", "Authorization: Basic hunter2", "PASSWORD=\"hunter2\"",
            "Password=hunter2 and more", "a\u{00e4} password=hunter2", "\u{0130} bearer hunter2 http://u:hunter2@h",
        ]
    )
    func secrets(line: String) {
        let clean = Redaction.clean("before\n\(line)\nafter")
        #expect(clean.hasPrefix("before\n") && clean.hasSuffix("\nafter"))
        #expect(!clean.contains("hunter2") && clean.contains("***"), "\(clean)")
    }

    @Test("P12: web tokens and private keys go as a whole; certificates, object ids and names stay")
    func tokens() {
        #expect(!Redaction.clean("it was (\(Self.token)), twice: \(Self.token)").contains("eyJ"))
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\nBBBB\n-----END OPENSSH PRIVATE KEY-----\nafter"
        #expect(Redaction.clean(key) == "***\n***\n***\n***\nafter")
        let plain =
            "alice@contoso.com 0b1ec700-0000-4000-8000-00000000beef ssh-rsa-cert-v01@openssh.com SHA256:abc= https://a.b/c@d"
        #expect(Redaction.clean(plain) == plain)
        for line in [
            "passwd: files systemd entralogin", "/etc/passwd: no such file", "basic rules", "secret of", "passwd",
        ] {
            #expect(Redaction.clean(line) == line)
        }
    }
}
