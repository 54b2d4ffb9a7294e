// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct HomePathTests {
    @Test(arguments: [
        "/home/alice@contoso.com", "/a", "/home/...", "/.a/..b", "/home/-x@b.c", "/srv/homes/o'neil@contoso.com",
    ])
    func `a plain absolute path is a home`(path: String) {
        #expect(HomePath.isAcceptable(path))
    }

    @Test(
        "P7: what passwd, a shell or sshd would read in its own way is no home",
        arguments: [
            "", "/", "home/alice", "/home/../etc", "/home/./x", "/home//x", "/home/x/", "/home/..", "/.",
            "/home/a b", "/home/a:b", "/home/a\n", "/home/%u", "/home/$HOME", "/home/~a", "/home/ä", "/home/a\0",
            "/" + String(repeating: "a", count: 255),
        ]
    )
    func refused(path: String) {
        #expect(!HomePath.isAcceptable(path))
    }

    @Test func `spellings of one path compare equal when normalized`() {
        #expect(HomePath.normalized("//home/./x/") == "/home/x")
        #expect(HomePath.normalized("/") == "")
        #expect(HomePath.normalized("/home/.../x") == "/home/.../x")
        #expect(HomePath.normalized("home/../x") == "/home/../x")
        // For the kernel a slash is a slash, even before a combining mark.
        #expect(HomePath.normalized("/home//\u{301}x") == "/home/\u{301}x")
    }

    private func first(_ template: HomeTemplate, _ name: UserName) -> String? {
        template.candidates(for: name).first { _ in true }
    }

    @Test func `a template puts in name, local part and domain`() throws {
        let alice = try name("alice@contoso.com")
        #expect(first(HomeTemplate.standard, alice) == "/home/alice@contoso.com")
        #expect(first(try HomeTemplate("/home/%l"), alice) == "/home/alice")
        #expect(first(try HomeTemplate("/srv/%d/%l/home"), alice) == "/srv/contoso.com/alice/home")
        let guid = try name("3f2504e0-4f89-41d3-9a0c-0305e82c3301")
        #expect(first(try HomeTemplate("/home/%d/%l"), guid) == "/home/service/\(guid)")
    }

    @Test func `further homes follow in a fixed order`() throws {
        let all = Array(try HomeTemplate("/home/%l").candidates(for: try name("alice@contoso.com")))
        #expect(all.prefix(4) == ["/home/alice", "/home/alice-entra", "/home/alice-entra2", "/home/alice-entra3"])
        #expect(all.count == HomeTemplate.candidateLimit)
        #expect(Set(all).count == all.count)
    }

    @Test func `homes that would be too long are left out`() throws {
        let template = try HomeTemplate("/" + String(repeating: "h", count: 230) + "/%l")
        let name = try name("abcdefghijklmnop@contoso.com")
        #expect(template.candidates(for: name).map(\.utf8.count) == [248, 254, 255, 255, 255, 255, 255, 255, 255, 255])
        let longer = try HomeTemplate("/" + String(repeating: "h", count: 240) + "/%l")
        #expect(Array(longer.candidates(for: name)).isEmpty)
    }

    @Test(arguments: [
        ("/home/%u", HomeTemplate.Flaw.unknownToken("%u")), ("/home/%n%", .unknownToken("%")),
        ("/home/all", .sameForEverybody), ("/home/%d", .sameForEverybody), ("home/%n", .notAPath),
        ("/home/../%n", .notAPath), ("/home/%n/", .notAPath), ("/home/a b/%n", .notAPath), ("/%n:", .notAPath),
    ])
    func `a bad template is refused with its flaw`(text: String, flaw: HomeTemplate.Flaw) {
        #expect(throws: flaw) { try HomeTemplate(text) }
        #expect(!flaw.description.isEmpty)
    }
}
