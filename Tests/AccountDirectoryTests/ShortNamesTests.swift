// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import TestSupport
import Testing

@testable import AccountDirectory

@Suite("Short names") struct ShortNamesTests {
    let fixture = Fixture()

    private static func policy(_ domain: String? = "contoso.com") -> AccountPolicy {
        var policy = AccountPolicy()
        policy.shortNameDomain = domain
        return policy
    }

    private func start(_ domain: String? = "contoso.com") -> AccountDirectory {
        fixture.start(policy: Self.policy(domain))
    }

    @Test(
        "People of the domain are called by the part before the @, also in their home; everybody else by the whole name"
    )
    func whose() throws {
        let directory = start()
        let alice = try directory.provisional("alice@contoso.com")
        #expect(alice.systemName == "alice" && alice.home == "/home/alice" && alice.name.text == "alice@contoso.com")
        #expect(try directory.provisional("a.b-c9@contoso.com").systemName == "a.b-c9")
        for whole in [
            "alice@fabrikam.com", "alice@sub.contoso.com", "0f8fad5b-d9cb-469f-a165-70867728950e", "a_b@contoso.com",
            "9a@contoso.com", "a'b@contoso.com", "a-@contoso.com", "systemd-x@contoso.com",
            String(repeating: "a", count: 33) + "@contoso.com",
        ] {
            let account = try directory.provisional(whole)
            #expect(account.systemName == whole && account.home == "/home/\(whole)")
        }
        let uid = try Fixture().start().provisional("alice@contoso.com").uid
        #expect(uid == alice.uid, "the number goes by the whole name")
    }

    @Test(
        "P7: no account gets a name that programs use, or that makes root",
        arguments: ["root", "docker", "sudo", "wheel", "lxd", "postgres", "www-data", "nobody", "git"]
    )
    func reserved(name: String) throws {
        let directory = start()
        #expect(try directory.provisional("\(name)@contoso.com").shortName == nil)
        #expect(directory.wholeName(of: name) == name)
    }

    @Test(
        "P7: a local user's, a local group's and a listed member's name is nobody else's, and the account says why",
        arguments: [
            ("passwd", "alice:x:1005:1005::/home/a:/bin/sh\n", "a local user is called alice"),
            ("group", "alice:x:1005:\n", "a local group is called alice"),
            ("group", "docker:x:999:bob,alice\n", "a local group lists alice as a member"),
        ]
    )
    func local(file: String, line: String, reason: String) async throws {
        let before = try #require(fixture.bytes(file))
        fixture.write(String(decoding: before, as: UTF8.self) + line, to: file)
        let directory = start()
        let account = try directory.provisional("alice@contoso.com")
        #expect(account.systemName == "alice@contoso.com")
        #expect(directory.wholeName(of: "alice") == "alice")
        let enrolled = try await directory.signIn("alice@contoso.com", as: 1)
        #expect(directory.view().obstacleToShortName(of: enrolled.account) == reason)
    }

    @Test("The short name leads to the account that has it: before its first sign-in and after it, and to no other")
    func leads() async throws {
        let directory = start(nil)
        try await directory.signIn("carol@contoso.com", as: 3)
        await directory.refresh(policy: Self.policy())
        #expect(directory.wholeName(of: "alice") == "alice@contoso.com")
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        #expect(alice.account.systemName == "alice" && directory.wholeName(of: "alice") == "alice@contoso.com")
        #expect(directory.view().enrolled(uid: alice.account.uid.number)?.account.systemName == "alice")
        #expect(directory.wholeName(of: "carol") == "carol", "carol keeps her name until root renames her")
        #expect(directory.view().obstacleToShortName(of: alice.account) == nil)
        for text in ["Alice", "alice@contoso.com", "root", ""] { #expect(directory.wholeName(of: text) == text) }
        await directory.refresh(policy: Self.policy(nil))
        #expect(directory.wholeName(of: "alice") == "alice", "off: nothing is a short name")
    }

    @Test(
        "Switched off, on for another domain, and on again: the number and home stay, and a short name never changes hands"
    )
    func switching() async throws {
        let directory = start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        await directory.refresh(policy: Self.policy(nil))
        let whole = try #require(directory.view().enrolled(named: alice.account.name)?.account)
        #expect(
            whole.systemName == "alice@contoso.com" && whole.uid == alice.account.uid && whole.home == "/home/alice"
        )
        await directory.refresh(policy: Self.policy("fabrikam.com"))
        #expect(try directory.provisional("alice@fabrikam.com").systemName == "alice@fabrikam.com")
        #expect(directory.wholeName(of: "alice") == "alice")
        #expect(try directory.provisional("bob@fabrikam.com").systemName == "bob")
        await directory.refresh(policy: Self.policy())
        #expect(directory.view().enrolled(named: alice.account.name)?.account.systemName == "alice")
    }

    @Test("P7: a local user who comes later has the name; the account is refused, and published no more")
    func later() async throws {
        let directory = start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        fixture.write("root:x:0:0::/root:/bin/sh\nalice:x:1005:1005::/home/a:/bin/sh\n", to: "passwd")
        #expect(try directory.reason("alice@contoso.com") == .localAccount)
        #expect(directory.view().enrolled(uid: alice.account.uid.number) != nil)
        #expect(try directory.view().rules().visible.hidden == [alice.account.uid.number])
        fixture.write("root:x:0:0::/root:/bin/sh\n", to: "passwd")
        #expect(try directory.reason("alice@contoso.com") == nil)
    }

    @Test(
        "P7: a name of another directory's is found out before it is given: this sign-in is refused, the next has the whole name"
    )
    func directory() async throws {
        fixture.neighbours.say(.somebody("5000"), named: "alice")
        let directory = start()
        #expect(await reason { try await directory.signIn("alice@contoso.com", as: 1) } == .numberTaken)
        #expect(directory.view().allEnrolled().isEmpty)
        let account = try await directory.signIn("alice@contoso.com", as: 1).account
        #expect(account.systemName == "alice@contoso.com" && account.home == "/home/alice@contoso.com")
        #expect(
            directory.view().obstacleToShortName(of: account)
                == "another directory of this machine has a user called alice"
        )
        fixture.neighbours.say(.unknown("it is silent"), named: "bob")
        #expect(await reason { try await directory.signIn("bob@contoso.com", as: 2) } == .enrolmentFailed)
        fixture.neighbours.say(.somebody("5001"), named: "carol")
        let added = try await directory.add(name("carol@contoso.com"), as: identity(3).objectID)
        #expect(added.enrolled.account.systemName == "carol@contoso.com")
    }

    @Test(
        "P5: root gives an account its short name: number, home and identity stay; a name that is somebody's is refused"
    )
    func shortening() async throws {
        let directory = start(nil)
        for (person, number) in [("alice", 1), ("bob", 2), ("dora", 4)] {
            try await directory.signIn("\(person)@contoso.com", as: number)
        }
        try await directory.signIn("eve@fabrikam.com", as: 5)
        fixture.write("root:x:0:0::/root:/bin/sh\nbob:x:1005:1005::/home/b:/bin/sh\n", to: "passwd")
        fixture.neighbours.say(.somebody("5000"), named: "dora")
        await directory.refresh(policy: Self.policy())
        let before = try #require(directory.view().enrolled(named: name("alice@contoso.com")))
        let after = try await directory.shorten(name("alice@contoso.com"))
        #expect(after.account.systemName == "alice" && after.account.home == before.account.home)
        #expect(after.account.uid == before.account.uid && after.identity == before.identity)
        #expect(try await directory.shorten(name("alice@contoso.com")) == after)
        let stored = String(decoding: try #require(fixture.bytes("accounts")), as: UTF8.self)
        #expect(stored.split(separator: "\n").filter { $0.hasSuffix(" short=yes") }.count == 1, "on disk")
        #expect(await reason { _ = try await directory.shorten(name("bob@contoso.com")) } == .unsupported)
        #expect(await reason { _ = try await directory.shorten(name("eve@fabrikam.com")) } == .unsupported)
        #expect(await reason { _ = try await directory.shorten(name("dora@contoso.com")) } == .unsupported)
        #expect(await reason { _ = try await directory.shorten(name("nobody.here@contoso.com")) } == .notEnrolled)
    }

    @Test("P5: who is renamed in Entra keeps a short name, of the new name; the old one is nobody's for ever")
    func renamed() async throws {
        let directory = start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        #expect(await reason { try await directory.signIn("alicia@contoso.com", as: 1) } == .accountRenamed)
        let alicia = try await directory.signIn("alicia@contoso.com", as: 1)
        #expect(alicia.account.systemName == "alicia" && alicia.account.uid == alice.account.uid)
        #expect(
            directory.wholeName(of: "alice") == "alice" && directory.wholeName(of: "alicia") == "alicia@contoso.com"
        )
        await directory.refresh(policy: Self.policy("fabrikam.com"))
        #expect(try directory.provisional("alice@fabrikam.com").shortName == nil)
        await directory.refresh(policy: Self.policy())
        let back = try await directory.rename(name("alicia@contoso.com"), to: name("alice@contoso.com"))
        #expect(back.account.systemName == "alice")
        let underscored = try await directory.rename(name("alice@contoso.com"), to: name("alice_b@contoso.com"))
        #expect(underscored.account.systemName == "alice_b@contoso.com")
    }
}
