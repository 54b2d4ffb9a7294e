// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite(.timeLimit(.minutes(15))) struct AccessControlTests {
    @Test("P15: the status counts the decisions of the last hour by decision and reason")
    func status() async throws {
        let fixture = try Fixture()
        let alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.checker.script(alice.identity.objectID, role: .user)
        #expect(await fixture.signIn(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, role: nil)
        fixture.time.advance(by: .seconds(301))
        for _ in 0..<2 { #expect(await fixture.sudo(alice).reason == .roleNotAssigned) }
        let status = await fixture.access.status()
        let counts = Dictionary(
            uniqueKeysWithValues: status.lastHour.map { ("\($0.event) \($0.verdict) \($0.reason ?? "")", $0.count) }
        )
        #expect(
            counts == [
                "access-check allow ": 1, "access-check deny role-not-assigned": 1, "account allow ": 1,
                "account deny role-not-assigned": 2, "certificate allow ": 1, "session-opened allow ": 1,
            ]
        )
        #expect(status.cachedDecisions == 1 && status.questionsUnderWay == 0 && status.openSessions == 1)
        fixture.time.advance(by: .seconds(3600))
        #expect(await fixture.access.status().lastHour.isEmpty)
    }

    @Test("The people whose cron jobs run here are asked for in the background, so that a long outage is bridged")
    func batchRefresh() async throws {
        let fixture = try Fixture()
        let alice = try Person("alice@contoso.com", 1)
        let old = try Person("old@contoso.com", 2)
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.accounts.set(old.name, .enrolled(old.enrolled(at: 1_800_000_000 - 31 * 86_400)))
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.access.batchRefresh.start()
        // The refresh itself sleeps, not only a caller that waits for an answer.
        let later = fixture.time.bootTime().advanced(by: .seconds(3000))
        await fixture.time.sleeping.wait { $0.contains { $0 > later } }
        #expect(fixture.checker.questions.value.map(\.objectID) == [alice.identity.objectID])
        let request = fixture.accountRequest(alice, service: "cron")
        #expect(await fixture.access.accountStage.decide(request, callerPID: 5) == .allow)
        fixture.time.advance(by: .seconds(3600))
        await fixture.checker.questions.wait { $0.count == 2 }
    }

    @Test(
        "After a start without the network it asks again soon, later and later, until Azure has answered for everybody"
    )
    func batchRetry() async throws {
        let fixture = try Fixture()
        let people = try (1...5).map { try Person("p\($0)@contoso.com", UInt32($0)) }
        for person in people {
            fixture.accounts.set(person.name, .enrolled(person.enrolled()))
            fixture.checker.script(person.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "")))
        }
        fixture.access.batchRefresh.start()
        for (round, pause) in [60, 120, 240].enumerated() {
            // After three questions in a row without an answer, the other two are not asked.
            await fixture.checker.questions.wait { $0.count == 3 * (round + 1) }
            let now = fixture.time.bootTime()
            let range = now.advanced(by: .seconds(Double(pause) * 0.9))...now.advanced(by: .seconds(pause))
            await fixture.time.sleeping.wait { times in times.contains { range.contains($0) } }
            fixture.time.advance(by: .seconds(pause))
        }
        await fixture.checker.questions.wait { $0.count == 12 }
        for person in people { fixture.checker.script(person.identity.objectID, role: .user) }
        let now = fixture.time.bootTime()
        await fixture.time.sleeping.wait { times in times.contains { $0 > now.advanced(by: .seconds(400)) } }
        fixture.time.advance(by: .seconds(480))
        await fixture.checker.questions.wait { $0.count == 17 }
        let later = fixture.time.bootTime().advanced(by: .seconds(3000))
        await fixture.time.sleeping.wait { $0.contains { $0 > later } }
        for person in people {
            let request = fixture.accountRequest(person, service: "cron")
            #expect(await fixture.access.accountStage.decide(request, callerPID: 5) == .allow)
        }
    }

    @Test("A no, and a person of an earlier tenant, are answers: nobody is asked about again for them")
    func batchComplete() async throws {
        let fixture = try Fixture()
        let (refused, stranger) = (
            try Person("no@contoso.com", 1),
            try Person("old@contoso.com", 2, tenant: "22222222-2222-4222-8222-222222222222")
        )
        for person in [refused, stranger] { fixture.accounts.set(person.name, .enrolled(person.enrolled())) }
        fixture.access.batchRefresh.start()
        let later = fixture.time.bootTime().advanced(by: .seconds(3000))
        await fixture.time.sleeping.wait { $0.contains { $0 > later } }
        #expect(fixture.checker.questions.value.count == 1)
    }

    @Test("P13: the people of batch services are bounded, and the one seen longest ago makes room")
    func batchBounded() throws {
        let time = VirtualTime()
        let people = BatchPeople(time: time)
        for number in 0...BatchPeople.limit {
            time.advance(by: .seconds(1))
            people.note(try Person("p@contoso.com", UInt32(number)).identity)
        }
        let current = people.current(within: .seconds(10_000))
        #expect(current.count == BatchPeople.limit)
        #expect(!current.contains(try Person("p@contoso.com", 0).identity))
        #expect(people.current(within: .seconds(9)).count == 10)
    }

    @Test("P13: open sessions are bounded, and only dead ones make room")
    func sessionsBounded() throws {
        let sessions = OpenSessions(limit: 2)
        let processes = FakeProcesses()
        let alice = try Person("alice@contoso.com", 1)
        for (pid, fits) in [(Int32(1), true), (2, true), (3, false)] {
            let process = try #require(processes.watch(pid: pid))
            #expect(sessions.add(process, uid: alice.uid, isAdministrator: pid == 1, at: UnixTime(seconds: 9)) == fits)
        }
        #expect(sessions.administrators() == [alice.uid])
        processes.kill(1)
        #expect(sessions.administrators().isEmpty && sessions.hasLive(alice.uid))
        let process = try #require(processes.watch(pid: 3))
        #expect(sessions.add(process, uid: alice.uid, isAdministrator: false, at: UnixTime(seconds: 8)))
        #expect(sessions.list().map(\.pid) == [3, 2] && sessions.list().map(\.isAdministrator) == [false, false])
        sessions.sweep()
        #expect(sessions.count == 2)
    }
}
