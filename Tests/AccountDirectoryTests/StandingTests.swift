// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import LinuxSystem
import TestSupport
import Testing

@Suite struct StandingTests {
    let fixture = Fixture()

    @Test("P3: the record of a name never seen is a pure function, and nothing is stored")
    func provisional() throws {
        let directory = fixture.start()
        let before = fixture.folder.names.map { fixture.bytes($0) }
        fixture.disk.fail(at: nil)
        let account = try directory.provisional("alice@contoso.com")
        #expect(account.home == "/home/alice@contoso.com")
        #expect(account.shell == "/bin/bash")
        #expect(account.displayName == "")
        for _ in 0..<10_000 { #expect(try directory.provisional("alice@contoso.com") == account) }
        #expect(fixture.disk.reached.isEmpty)
        #expect(fixture.folder.names.map { fixture.bytes($0) } == before)
        #expect(try Fixture().start().provisional("alice@contoso.com") == account)
    }

    @Test("A view stands still: what is enrolled, and what the local files say, show in the next one only")
    func stillness() async throws {
        let directory = fixture.start()
        let (alice, bob) = (try name("alice@contoso.com"), try name("bob@contoso.com"))
        let before = directory.view()
        try await directory.signIn(alice.text, as: 1)
        fixture.write("root:x:0:0::/root:/bin/sh\n\(bob):x:1005:1005::/home/b:/bin/sh\n", to: "passwd")
        for name in [alice, bob] {
            guard case .provisional = before.standing(of: name) else {
                Issue.record("\(name): \(before.standing(of: name))")
                return
            }
        }
        #expect(before.allEnrolled().isEmpty && before.enrolled(named: alice) == nil)
        let after = directory.view()
        #expect(after.enrolled(named: alice) == after.allEnrolled().first && !after.allEnrolled().isEmpty)
        guard case .none(let denial) = after.standing(of: bob) else {
            Issue.record("\(after.standing(of: bob))")
            return
        }
        #expect(denial.reason == .localAccount)
    }

    @Test("P5: uids are those of the documented formula")
    func formula() throws {
        // 1879049216 plus the sum's first 64 bits modulo 268303360;
        // printf '9b1c3d5e-0000-4000-8000-000000000001\0alice@contoso.com' | sha256sum | cut -c1-16: ac8c9f6e4886d9b1
        #expect(try fixture.start().provisional("alice@contoso.com").uid.number == 2_090_174_897)
    }

    @Test("P3: ten thousand names of strangers leave table and disk as they are")
    func strangers() throws {
        let directory = fixture.start()
        let before = fixture.bytes("accounts")
        fixture.disk.fail(at: nil)
        var uids: Set<UInt32> = []
        for number in 0..<10_000 { uids.insert(try directory.provisional("x\(number)@contoso.com").uid.number) }
        #expect(uids.count > 9_990)
        #expect(directory.view().allEnrolled().isEmpty)
        #expect(fixture.disk.reached.isEmpty)
        #expect(fixture.bytes("accounts") == before)
    }

    @Test("P7: a local user or group with the name wins, before and after enrolment")
    func localNames() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        fixture.write("root:x:0:0::/root:/bin/sh\nalice@contoso.com:x:1005:1005::/home/a:/bin/sh\n", to: "passwd")
        #expect(try directory.reason("alice@contoso.com") == .localAccount)
        fixture.write("root:x:0:0::/root:/bin/sh\n", to: "passwd")
        #expect(try directory.reason("alice@contoso.com") == nil)
        fixture.write("root:x:0:\nalice@contoso.com:x:1005:\nbob@contoso.com:x:1006:\n", to: "group")
        #expect(try directory.reason("alice@contoso.com") == .localAccount)
        #expect(try directory.reason("bob@contoso.com") == .localAccount)
        #expect(directory.report().shadowed == [try name("alice@contoso.com")])
    }

    @Test("P7: a local user or group with the uid wins: a new name gets another, an enrolled one is refused")
    func localIDs() async throws {
        let directory = fixture.start()
        let before = try directory.provisional("alice@contoso.com").uid.number
        fixture.write("svc:x:\(before):100::/:/bin/false\n", to: "passwd")
        fixture.write("svc:x:\(before + 1):\n", to: "group")
        #expect(try directory.provisional("alice@contoso.com").uid.number == before + 2)
        fixture.write("", to: "passwd")
        #expect(try directory.provisional("alice@contoso.com").uid.number == before)
        fixture.write("", to: "group")
        try await directory.signIn("alice@contoso.com", as: 1)
        fixture.write("svc:x:\(before):\n", to: "group")
        #expect(try directory.reason("alice@contoso.com") == .localAccount)
    }

    @Test("P7: nobody gets a home that is somebody else's")
    func homes() async throws {
        let directory = fixture.start()
        fixture.write("frank:x:1001:1001::/home/frank@contoso.com:/bin/sh\n", to: "passwd")
        #expect(try directory.provisional("frank@contoso.com").home == "/home/frank@contoso.com-entra")
        fixture.write(
            "frank:x:1001:1001::/home/frank@contoso.com/:/bin/sh\nf:x:7:7::/home/frank@contoso.com-entra/x:/bin/sh\n",
            to: "passwd"
        )
        #expect(try directory.provisional("frank@contoso.com").home == "/home/frank@contoso.com-entra2")
        let frank = try await directory.signIn("frank@contoso.com", as: 1)
        #expect(frank.account.home == "/home/frank@contoso.com-entra2")
        fixture.write("late:x:1002:1002::/home/frank@contoso.com-entra2:/bin/sh\n", to: "passwd")
        #expect(try directory.reason("frank@contoso.com") == .homeRefused)
    }

    @Test("P7: two Entra accounts whose template gives one home get two")
    func sharedTemplate() async throws {
        let directory = fixture.start(policy: AccountPolicy(homeTemplate: try HomeTemplate("/home/%l")))
        #expect(try directory.provisional("local@contoso.com").home == "/home/local-entra")
        #expect(try await directory.signIn("alice@contoso.com", as: 1).account.home == "/home/alice")
        #expect(try await directory.signIn("alice@fabrikam.com", as: 2).account.home == "/home/alice-entra")
        _ = try await directory.retire(try name("alice@contoso.com"))
        #expect(try directory.provisional("alice@other.com").home == "/home/alice-entra2")
    }

    @Test("P7: where the local files cannot be read, no Entra account is known")
    func unreadableLocalFiles() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        let account = try directory.provisional("bob@contoso.com")
        let snapshot = fixture.bytes("accounts.snapshot")
        try fixture.disk.file("\(fixture.folder.path)/passwd").remove()
        #expect(try directory.reason("alice@contoso.com") == .storeUnreadable)
        #expect(try directory.reason("bob@contoso.com") == .storeUnreadable)
        #expect(await reason { _ = try await directory.enrol(account, as: try identity(2)) } == .storeUnreadable)
        #expect(directory.report().fault?.contains("passwd") == true)
        await directory.refresh()
        #expect(fixture.bytes("accounts.snapshot") == snapshot)
    }

    @Test func `only the configured domains are answered, and GUIDs always`() throws {
        let directory = fixture.start(policy: AccountPolicy(domains: ["contoso.com"]))
        #expect(try directory.reason("alice@contoso.com") == nil)
        #expect(try directory.reason("alice@sub.contoso.com") == .domainNotAllowed)
        #expect(try directory.reason("3f2504e0-4f89-41d3-9a0c-0305e82c3301") == nil)
    }

    @Test func `a changed policy is in force at once`() async throws {
        let directory = fixture.start()
        await directory.refresh(policy: AccountPolicy(domains: ["fabrikam.com"], shell: "/bin/zsh"))
        #expect(try directory.reason("alice@contoso.com") == .domainNotAllowed)
        #expect(try directory.provisional("alice@fabrikam.com").shell == "/bin/zsh")
    }

    @Test("P1: while the tenant is unknown, no name is made up")
    func unknownTenant() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        directory.update(tenant: nil)
        #expect(try directory.reason("bob@contoso.com") == .machineUnknown)
        #expect(try directory.reason("alice@contoso.com") == nil)
    }

    @Test("P8: before the store is read, nobody is known")
    func notLoaded() throws {
        let directory = AccountDirectory(
            paths: fixture.paths(in: fixture.folder.path),
            policy: AccountPolicy(),
            grants: fixture.grants,
            environment: AccountDirectory.Environment(
                clock: fixture.clock,
                random: FixedRandom(),
                offload: { work in work() },
                holder: { _ in .nobody },
                nameHolder: { _ in .nobody }
            )
        )
        #expect(try directory.reason("alice@contoso.com") == .storeUnreadable)
        #expect(directory.view().allEnrolled().isEmpty)
    }
}
