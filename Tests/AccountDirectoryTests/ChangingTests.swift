// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import LinuxSystem
import TestSupport
import Testing

/// Renamings in the directory, and the administrator's commands: retire, rebind, rename.
@Suite struct ChangingTests {
    let fixture = Fixture()
    private let objectTwo = "00000000-0000-4000-8000-000000000002"

    private var snapshot: String { fixture.folder("accounts.snapshot") }

    private func published() -> [String]? { PublishedAccounts(snapshot)?.all.map(\.name) }

    private func grant(_ enrolled: EnrolledAccount) {
        fixture.grants.grant(uid: enrolled.account.uid, until: fixture.clock.bootTime().advanced(by: .seconds(60)))
    }

    // MARK: Renamed in Entra

    @Test("P5: a renamed person keeps uid and home under the new name, and the old name is refused to everybody")
    func rename() async throws {
        let directory = fixture.start()
        let before = try await directory.signIn("alice@contoso.com", as: 1)
        #expect(await reason { try await directory.signIn("alicia@contoso.com", as: 1) } == .accountRenamed)
        let after = try await directory.signIn("alicia@contoso.com", as: 1)
        #expect(after.account.uid == before.account.uid)
        #expect(after.account.home == before.account.home)
        #expect(after.enrolledAt == before.enrolledAt)
        #expect(after.formerNames == [before.account.name])
        #expect(try directory.reason("alice@contoso.com") == .wrongName)
        #expect(await reason { _ = try await directory.enrol(before.account, as: try identity(2)) } == .wrongName)
        #expect(published() == ["alicia@contoso.com"])
        #expect(directory.view().allEnrolled().count == 1)
    }

    @Test("P5: a person who gets an old name back is renamed by the administrator, and by nobody else")
    func renamedBack() async throws {
        let directory = fixture.start()
        let before = try await directory.signIn("alice@contoso.com", as: 1)
        _ = await reason { try await directory.signIn("alicia@contoso.com", as: 1) }
        guard case .none(let denial) = directory.view().standing(of: before.account.name) else {
            Issue.record("answered")
            return
        }
        #expect(denial.detail.contains("entraloginctl users rename alicia@contoso.com alice@contoso.com"))
        let back = try await directory.rename(try name("alicia@contoso.com"), to: before.account.name)
        #expect(back.account == before.account)
        #expect(back.formerNames == [try name("alicia@contoso.com")])
        #expect(try await directory.signIn("alice@contoso.com", as: 1) == back)
        #expect(try directory.reason("alicia@contoso.com") == .wrongName)
        #expect(published() == ["alice@contoso.com"])
    }

    @Test("P5: no account is renamed to a name that somebody else has, or had, and none to a local one's (P7)")
    func refusedRenamings() async throws {
        let directory = fixture.start(policy: AccountPolicy(domains: ["contoso.com"]))
        try await directory.signIn("alice@contoso.com", as: 1)
        try await directory.signIn("bob@contoso.com", as: 2)
        _ = await reason { try await directory.signIn("robert@contoso.com", as: 2) }
        _ = try await directory.retire(try name("robert@contoso.com"))
        fixture.write("carol@contoso.com:x:1005:1005::/home/c:/bin/sh\n", to: "passwd")
        let before = fixture.bytes("accounts")
        for (new, expected) in [
            ("bob@contoso.com", DenialReason.objectIDChanged), ("robert@contoso.com", .objectIDChanged),
            ("carol@contoso.com", .localAccount), ("alice@fabrikam.com", .domainNotAllowed),
        ] {
            let new = try name(new)
            #expect(await reason { _ = try await directory.rename(try name("alice@contoso.com"), to: new) } == expected)
        }
        let new = try name("new@contoso.com")
        for (old, expected) in [
            ("robert@contoso.com", DenialReason.accountRetired), ("bob@contoso.com", .wrongName),
            ("nobody@contoso.com", .notEnrolled),
        ] {
            #expect(await reason { _ = try await directory.rename(try name(old), to: new) } == expected)
        }
        #expect(fixture.bytes("accounts") == before)
    }

    // MARK: Retired

    @Test("P5: a retired account answers no more, loses its grant, and its uid, home and person come back to nobody")
    func retirement() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        grant(alice)
        fixture.clock.pass(.seconds(5))
        let retired = try await directory.retire(alice.account.name)
        #expect(retired.retiredAt == fixture.clock.wallTime())
        #expect(fixture.grants.current().isEmpty)
        #expect(try directory.reason("alice@contoso.com") == .accountRetired)
        #expect(directory.view().enrolled(uid: alice.account.uid.number) == retired)
        #expect(published() == [])
        #expect(await reason { try await directory.signIn("alice2@contoso.com", as: 1) } == .accountRetired)
        #expect(await reason { _ = try await directory.enrol(alice.account, as: alice.identity) } == .accountRetired)
        #expect(await reason { _ = try await directory.enrol(alice.account, as: try identity(2)) } == .accountRetired)
        #expect(await reason { _ = try await directory.retire(try name("nobody@contoso.com")) } == .notEnrolled)
        #expect(directory.report().retired == 1)
        #expect(directory.report().enrolled == 0)
    }

    @Test("Retiring again changes and writes nothing, but publishes what could not be published")
    func retiredAgain() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        fixture.disk.fail("accounts.snapshot", with: .inputOutput)
        #expect(await reason { _ = try await directory.retire(alice.account.name) } == .enrolmentFailed)
        #expect(try directory.reason("alice@contoso.com") == .accountRetired)
        fixture.disk.fail(nil)
        fixture.clock.pass(.seconds(5))
        let store = fixture.bytes("accounts")
        let again = try await directory.retire(alice.account.name)
        #expect(again.retiredAt?.seconds == fixture.clock.wallTime().seconds - 5)
        #expect(fixture.bytes("accounts") == store)
        #expect(published() == [])
    }

    @Test("P2: what was allowed ends with the account, even where the disk takes no change")
    func grantsEnd() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        for change in ["retire", "rebind"] {
            grant(alice)
            fixture.disk.fail("accounts")
            // A session that was opening meanwhile grants once more.
            fixture.disk.atEachStep { _ in grant(alice) }
            let denied = await reason {
                _ =
                    change == "retire"
                    ? try await directory.retire(alice.account.name)
                    : try await directory.rebind(alice.account.name, to: try identity(2).objectID)
            }
            #expect(denied == .enrolmentFailed)
            #expect(fixture.grants.current().isEmpty, "\(change)")
            fixture.disk.atEachStep(nil)
            fixture.disk.fail(nil)
            #expect(try await directory.signIn("alice@contoso.com", as: 1) == alice)
        }
    }

    // MARK: Rebound

    @Test("P5: only the administrator gives an account to a person's new object, with all that it has")
    func rebinding() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        grant(alice)
        do {
            try await directory.signIn("alice@contoso.com", as: 2)
            Issue.record("another object got in")
        } catch let denial as Denial {
            #expect(denial.reason == .objectIDChanged)
            #expect(denial.detail.contains("\(alice.identity.objectID)"))
            let command = "entraloginctl users rebind alice@contoso.com --object-id \(objectTwo)"
            #expect(denial.detail.contains(command))
        }
        let rebound = try await directory.rebind(alice.account.name, to: try identity(2).objectID)
        #expect(rebound.account == alice.account)
        #expect(rebound.identity == (try identity(2)))
        #expect(fixture.grants.current().isEmpty)
        #expect(try await directory.signIn("alice@contoso.com", as: 2) == rebound)
        #expect(await reason { try await directory.signIn("alice@contoso.com", as: 1) } == .objectIDChanged)
        #expect(PublishedAccounts(snapshot)?.all.map(\.uid) == [alice.account.uid.number])
    }

    @Test("P5: a retired account comes back to its person, or to that person's new object, and outlives a restart")
    func comeback() async throws {
        var directory: AccountDirectory? = fixture.start()
        let alice = try await directory?.signIn("alice@contoso.com", as: 1)
        for number in [1, 2] {
            _ = try await directory?.retire(try name("alice@contoso.com"))
            #expect(published() == [])
            let back = try await directory?.rebind(try name("alice@contoso.com"), to: try identity(number).objectID)
            #expect(back?.retiredAt == nil)
            #expect(published() == ["alice@contoso.com"])
            directory = nil
            directory = fixture.start()
            let again = try await directory?.signIn("alice@contoso.com", as: number)
            #expect(again == back)
            #expect(again?.account == alice?.account)
        }
    }

    @Test("P5: an object that has an account here, retired or not, gets no second one")
    func boundObjects() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        try await directory.signIn("bob@contoso.com", as: 2)
        let before = fixture.bytes("accounts")
        let alice = try name("alice@contoso.com")
        func refusal(_ name: UserName, _ number: Int) async -> DenialReason? {
            await reason { _ = try await directory.rebind(name, to: try identity(number).objectID) }
        }
        grant(try #require(directory.view().allEnrolled().first))
        #expect(await refusal(alice, 2) == .objectIDChanged)
        #expect(await refusal(alice, 1) == nil)
        // A refused command, or one that changes nothing, withdraws nothing.
        #expect(fixture.grants.current().count == 1)
        #expect(fixture.bytes("accounts") == before)
        _ = try await directory.retire(try name("bob@contoso.com"))
        #expect(await refusal(alice, 2) == .objectIDChanged)
        #expect(await refusal(try name("x@y.z"), 7) == .notEnrolled)
        directory.update(tenant: nil)
        #expect(await refusal(alice, 7) == .machineUnknown)
    }

    @Test("P5: where the machine came to another tenant, an account is its person's there only once root says so")
    func otherTenant() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        let fabrikam = "9b1c3d5e-0000-4000-8000-000000000002"
        directory.update(tenant: TenantID(fabrikam))
        let there = try identity(1, tenant: fabrikam)
        #expect(await reason { _ = try await directory.enrol(alice.account, as: there) } == .objectIDChanged)
        let rebound = try await directory.rebind(alice.account.name, to: there.objectID)
        #expect(rebound.identity == there)
        #expect(try await directory.enrol(alice.account, as: there) == rebound)
    }
}
