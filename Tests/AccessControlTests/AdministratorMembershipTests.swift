// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite struct AdministratorMembershipTests {
    private let time = VirtualTime()
    private let grants = FakeGrants()
    private let accounts = FakeAccounts()
    private let log = RecordBook()
    private let membership: AdministratorMembership
    private let alice: Person
    private let bob: Person
    private let id = CountingRandom().correlationID()

    init() throws {
        membership = AdministratorMembership(registry: grants, accounts: accounts, time: time, log: log)
        alice = try Person("alice@contoso.com", 1)
        bob = try Person("bob@contoso.com", 2)
        for person in [alice, bob] { accounts.set(person.name, .enrolled(person.enrolled())) }
    }

    private func grant(_ person: Person, answeredAt: BootTime) throws -> Bool {
        let expiry = time.bootTime().advanced(by: .seconds(3600))
        return try membership.grant(person.enrolled(), until: expiry, answeredAt: answeredAt)
    }

    @Test(
        "P2: an answer of less than administrator ends this person's grants, and nobody else's",
        arguments: [Role.user, nil]
    )
    func settle(role: Role?) throws {
        for person in [alice, bob] { #expect(try grant(person, answeredAt: time.bootTime())) }
        membership.settle(alice.identity, role: role, answeredAt: time.bootTime(), correlation: id)
        #expect(Array(grants.current().keys) == [bob.uid])
        #expect(log.of(.withdrawn).map(\.objectID) == [alice.identity.objectID])
        #expect(log.of(.withdrawn).first?.correlation == id)
    }

    @Test("P2: an older yes grants nothing after a no; a newer one does")
    func order() throws {
        let before = time.bootTime()
        time.advance(by: .seconds(1))
        membership.settle(alice.identity, role: nil, answeredAt: time.bootTime(), correlation: id)
        #expect(try !grant(alice, answeredAt: before))
        #expect(try !grant(alice, answeredAt: time.bootTime()))
        #expect(grants.current().isEmpty)
        time.advance(by: .seconds(1))
        #expect(try grant(alice, answeredAt: time.bootTime()))
    }

    @Test("P5: a user who was retired or given to another object meanwhile gets no grant")
    func changedMeanwhile() throws {
        let retired = EnrolledAccount(
            account: alice.account,
            identity: alice.identity,
            enrolledAt: UnixTime(seconds: 0),
            retiredAt: UnixTime(seconds: 1)
        )
        let rebound = EnrolledAccount(
            account: alice.account,
            identity: bob.identity,
            enrolledAt: UnixTime(seconds: 0)
        )
        for now in [retired, rebound] {
            accounts.set(alice.name, .enrolled(now))
            #expect(try !grant(alice, answeredAt: time.bootTime()))
            #expect(grants.current().isEmpty)
        }
    }

    @Test("P2: an account that was locked meanwhile gets no grant, whatever Azure said")
    func lockedMeanwhile() throws {
        let locked = EnrolledAccount(
            account: alice.account,
            identity: alice.identity,
            enrolledAt: UnixTime(seconds: 0),
            lockedAt: UnixTime(seconds: 1)
        )
        accounts.set(alice.name, .enrolled(locked))
        #expect(try !grant(alice, answeredAt: time.bootTime()))
        #expect(grants.current().isEmpty)
    }

    @Test("An answer that says administrator withdraws nothing")
    func administrator() throws {
        #expect(try grant(alice, answeredAt: time.bootTime()))
        membership.settle(alice.identity, role: .administrator, answeredAt: time.bootTime(), correlation: id)
        #expect(membership.holds(alice.uid.number))
        #expect(log.records.value.isEmpty)
    }

    @Test("A grant that has lapsed is none")
    func lapsed() throws {
        #expect(try grant(alice, answeredAt: time.bootTime()))
        time.advance(by: .seconds(3600))
        #expect(!membership.holds(alice.uid.number) && membership.current().isEmpty)
        #expect(!membership.holds(1000))
    }
}
