// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import Testing

/// The machine's own homes and shells for accounts that are enrolled later.
@Suite struct OverridesTests {
    let fixture = Fixture()

    private func policy() throws -> AccountPolicy {
        func selector(_ text: String) throws -> AccountSelector { try #require(AccountSelector(text)) }
        return AccountPolicy(
            homeOverrides: [
                AccountOverride(try selector("alice@contoso.com"), try HomeTemplate("/data/alice", isForOne: true)),
                AccountOverride(try selector("*@fabrikam.com"), try HomeTemplate("/srv/%l")),
            ],
            shellOverrides: [AccountOverride(try selector("%builders"), "/bin/zsh")]
        )
    }

    @Test(
        "P6: the record that sshd gets has the home and shell of the first entry that concerns it, and is enrolled so"
    )
    func provisional() async throws {
        fixture.write("root:x:0:\nbuilders:x:1001:lisa,bob@contoso.com\n", to: "group")
        let directory = fixture.start(policy: try policy())
        for (number, (text, home, shell)) in [
            ("alice@contoso.com", "/data/alice", "/bin/bash"), ("eve@fabrikam.com", "/srv/eve", "/bin/bash"),
            ("bob@contoso.com", "/home/bob@contoso.com", "/bin/zsh"),
            ("carol@contoso.com", "/home/carol@contoso.com", "/bin/bash"),
        ].enumerated() {
            let provisional = try directory.provisional(text)
            #expect(provisional.home == home && provisional.shell == shell, "\(provisional)")
            #expect(try await directory.signIn(text, as: number).account == provisional)
        }
    }

    @Test("P7: a home of an entry that is somebody's is never given")
    func taken() throws {
        fixture.write("local:x:1000:1000::/data/alice:/bin/bash\n", to: "passwd")
        #expect(try fixture.start(policy: policy()).provisional("alice@contoso.com").home == "/data/alice-entra")
    }

    @Test("P5: enrolled accounts keep the home and shell that they have, whatever is written afterwards")
    func enrolled() async throws {
        let directory = fixture.start()
        let before = try await directory.signIn("alice@contoso.com", as: 1)
        await directory.refresh(policy: try policy())
        #expect(try await directory.signIn("alice@contoso.com", as: 1) == before)
    }

    @Test(
        "P5: an account that root adds gets what its name and the groups that it is put into say, before it is in them"
    )
    func added() async throws {
        let directory = fixture.start(policy: try policy())
        let alice = try await directory.add(try name("alice@contoso.com"), as: try identity(1).objectID)
        #expect(alice.enrolled.account.home == "/data/alice" && alice.enrolled.account.shell == "/bin/bash")
        let bob = try name("bob@contoso.com")
        let added = try await directory.add(bob, as: try identity(2).objectID, joining: ["builders", "others"])
        #expect(added.enrolled.account.shell == "/bin/zsh")
        #expect(try await directory.signIn("bob@contoso.com", as: 2) == added.enrolled)
    }
}
