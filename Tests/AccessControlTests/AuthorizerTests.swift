// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite(.timeLimit(.minutes(15))) struct AuthorizerTests {
    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
    }

    private func demand(_ age: Int = 300, waits seconds: Int? = 8) -> DecisionDemand {
        let now = fixture.time.bootTime()
        return DecisionDemand(maximumAge: .seconds(age), deadline: seconds.map { now.advanced(by: .seconds($0)) })
    }

    private func id() -> CorrelationID { CountingRandom().correlationID() }

    private func decide(_ age: Int = 300, waits seconds: Int? = 8) async -> Ruling {
        await fixture.access.authorizer.decide(alice.identity, under: demand(age, waits: seconds), correlation: id())
    }

    private var asked: Int { fixture.checker.questions.value.count }

    private var outage: ScriptedChecker.Line { .fault(AccessCheckFault(.unreachable, detail: "no route")) }

    @Test("P1: a role is what Azure says, for this object id on this machine's resource")
    func asks() async throws {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        let ruling = await decide()
        #expect(ruling.decision == .allow(.administrator, .azure))
        let question = try #require(fixture.checker.questions.value.first)
        #expect(question.objectID == alice.identity.objectID)
        #expect(question.machine == fixture.machine)
        #expect(question.correlation == ruling.correlation)
    }

    @Test("A fresh answer is used again, with the id of the question that Azure saw")
    func cached() async {
        fixture.checker.script(alice.identity.objectID, role: .user)
        let first = await decide()
        fixture.time.advance(by: .seconds(299))
        let second = await decide()
        #expect(second.decision == .allow(.user, .cache))
        #expect(second.correlation == first.correlation)
        #expect(asked == 1)
        fixture.time.advance(by: .seconds(1))
        #expect(await decide().allow == .azure)
        #expect(asked == 2)
    }

    @Test("P2: a no that was learned by asking aside counts at once, and a yes so learned counts for nobody")
    func aside() async throws {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        _ = await decide()
        let authorizer = fixture.access.authorizer
        let yes = AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")
        let bob = try Person("bob@contoso.com", 2)
        await authorizer.takeRefusal(yes, of: bob.identity.objectID, on: fixture.machine, correlation: id())
        #expect(await authorizer.cached(bob.identity) == nil)
        let user = AccessAnswer(role: .user, lifetime: nil, checker: "pas")
        await authorizer.takeRefusal(user, of: bob.identity.objectID, on: fixture.machine, correlation: id())
        #expect(await authorizer.cached(bob.identity) == nil)
        let no = AccessAnswer(role: nil, lifetime: nil, checker: "pas")
        await authorizer.takeRefusal(no, of: alice.identity.objectID, on: fixture.machine, correlation: id())
        #expect(await decide().decision == .deny(Denial(.roleNotAssigned)))
        #expect(asked == 1)
    }

    @Test("P2: a lowered role that was learned by asking aside ends a kept administrator's yes, and makes no user's")
    func loweredAside() async throws {
        let authorizer = fixture.access.authorizer
        let user = AccessAnswer(role: .user, lifetime: nil, checker: "pas")
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        _ = await decide()
        fixture.checker.script(alice.identity.objectID, role: .user)
        await authorizer.takeRefusal(user, of: alice.identity.objectID, on: fixture.machine, correlation: id())
        #expect(await authorizer.cached(alice.identity) == nil)
        let asked = asked
        #expect(await decide().decision == .allow(.user, .azure))
        #expect(self.asked == asked + 1)
        // The answer to the user's own question stays as it is, and does not become newer.
        let kept = await authorizer.cached(alice.identity)
        await authorizer.takeRefusal(user, of: alice.identity.objectID, on: fixture.machine, correlation: id())
        #expect(await authorizer.cached(alice.identity) == kept)
    }

    @Test("P2: what a question brings that was under way before counts for no more", arguments: [Role.user, nil])
    func asideDuringQuestion(role: Role?) async throws {
        fixture.checker.script(alice.identity.objectID, .held)
        async let ruling = decide()
        await fixture.checker.questions.wait { $0.count == 1 }
        let less = AccessAnswer(role: role, lifetime: nil, checker: "arm")
        let authorizer = fixture.access.authorizer
        await authorizer.takeRefusal(less, of: alice.identity.objectID, on: fixture.machine, correlation: id())
        fixture.time.advance(by: .seconds(1))
        let question = try #require(fixture.checker.questions.value.first)
        let older = AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")
        fixture.checker.release(question, .answer(older))
        #expect(await ruling.decision == (role.map { .allow($0, .azure) } ?? .deny(Denial(.roleNotAssigned))))
        #expect(await authorizer.cached(alice.identity)?.role == role)
    }

    @Test("P1: an answer for one resource says nothing about another")
    func otherMachine() async throws {
        fixture.checker.script(alice.identity.objectID, role: .user)
        _ = await decide()
        let path = "/subscriptions/s/resourceGroups/other/providers/Microsoft.Compute/virtualMachines/vm1"
        let moved = Machine(
            kind: .virtualMachine,
            resource: try #require(ResourceID(path)),
            tenant: fixture.machine.tenant,
            name: "vm1",
            cloud: "AzurePublicCloud"
        )
        fixture.machines.set(moved)
        fixture.checker.script(alice.identity.objectID, role: nil)
        #expect(await decide().reason == .roleNotAssigned)
        #expect(asked == 2)
    }

    @Test("P1: somebody of another tenant is refused without a question")
    func otherTenant() async throws {
        let mallory = try Person("mallory@evil.com", 9, tenant: "22222222-2222-4222-8222-222222222222")
        let ruling = await fixture.access.authorizer.decide(mallory.identity, under: demand(), correlation: id())
        #expect(ruling.reason == .wrongTenant)
        await fixture.access.authorizer.prepare(mallory.identity, correlation: id())
        #expect(asked == 0)
    }

    @Test("P1: without knowing the machine nobody is allowed")
    func machineUnknown() async {
        fixture.machines.set(nil)
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await decide().reason == .machineUnknown)
        #expect(asked == 0)
    }

    @Test("Ten callers at once make one question, and all hear its answer")
    func oneFlight() async throws {
        fixture.checker.script(alice.identity.objectID, .held)
        let (access, identity, demand) = (fixture.access, alice.identity, demand())
        let random = CountingRandom()
        let rulings = await withTaskGroup(of: Ruling.self) { group in
            for _ in 0..<10 {
                let id = random.correlationID()
                group.addTask { await access.authorizer.decide(identity, under: demand, correlation: id) }
            }
            await fixture.checker.questions.wait { !$0.isEmpty }
            await fixture.time.sleeping.wait { $0.count == 10 }
            if let question = fixture.checker.questions.value.first {
                fixture.checker.release(question, .answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas")))
            }
            return await group.reduce(into: [Ruling]()) { $0.append($1) }
        }
        #expect(rulings.count == 10)
        #expect(rulings.allSatisfy { $0.decision == .allow(.user, .azure) })
        #expect(Set(rulings.map(\.correlation)).count == 1)
        #expect(asked == 1)
        #expect(await access.authorizer.questionsUnderWay == 0)
    }

    @Test("P9: a caller leaves at its own deadline, and the answer is kept for the next one")
    func deadline() async throws {
        fixture.checker.script(alice.identity.objectID, .held)
        let (access, identity) = (fixture.access, alice.identity)
        let (short, long) = (demand(300, waits: 2), demand(300, waits: 8))
        let random = CountingRandom()
        let ids = [random.correlationID(), random.correlationID()]
        async let early = access.authorizer.decide(identity, under: short, correlation: ids[0])
        async let late = access.authorizer.decide(identity, under: long, correlation: ids[1])
        await fixture.time.sleeping.wait { $0.count == 2 }
        fixture.time.advance(by: .seconds(2))
        #expect(await early.reason == .unreachable)
        let question = try #require(fixture.checker.questions.value.first)
        fixture.checker.release(question, .answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas")))
        #expect(await late.decision == .allow(.user, .azure))
        #expect(await decide().decision == .allow(.user, .cache))
        #expect(asked == 1)
    }

    @Test("P1: a fault without an earlier allow denies, with its own reason", arguments: DenialReason.allCases)
    func fault(reason: DenialReason) async {
        fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(reason, detail: "particulars")))
        let ruling = await decide()
        #expect(ruling.decision == .deny(Denial(reason, detail: "particulars")))
    }

    @Test("P1: in an outage an earlier allow stands in until the grace ends, counted from Azure's answer")
    func grace() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        let answeredAt = await decide().answeredAt
        fixture.checker.script(alice.identity.objectID, outage)
        fixture.time.advance(by: .seconds(3599))
        let ruling = await decide()
        #expect(ruling.decision == .allow(.administrator, .grace))
        #expect(ruling.answeredAt == answeredAt)
        #expect(ruling.graceEnds == answeredAt?.advanced(by: .seconds(3600)))
        fixture.time.advance(by: .seconds(60))
        #expect(await decide().reason == .unreachable)
    }

    @Test("P9: a silent Azure is waited for once in a sign-in, where the grace answers for it")
    func graceWithoutWaiting() async {
        fixture.checker.script(alice.identity.objectID, role: .user)
        #expect(await decide().allow == .azure)
        fixture.time.advance(by: .seconds(400))
        fixture.checker.script(alice.identity.objectID, .held)
        let (access, identity) = (fixture.access, alice.identity)
        async let account = access.authorizer.decide(identity, under: demand(300, waits: 8), correlation: id())
        await fixture.time.sleeping.wait { $0.count == 1 }
        fixture.time.advance(by: .seconds(8))
        #expect(await account.allow == .grace)
        // The session stage of the same sign-in: the question is still in flight, and the stage does not wait for it.
        let session = await access.authorizer.decide(identity, under: demand(300, waits: 8), correlation: id())
        #expect(session.allow == .grace)
        #expect(asked == 2)
    }

    @Test("A grace of zero is off")
    func graceOff() async throws {
        var settings = AccessSettings()
        settings.offlineGrace = .zero
        let fixture = try Fixture(settings: settings)
        fixture.checker.script(alice.identity.objectID, role: .user)
        let authorizer = fixture.access.authorizer
        let deadline = fixture.time.bootTime().advanced(by: .seconds(1000))
        let demand = DecisionDemand(maximumAge: .seconds(300), deadline: deadline)
        #expect(await authorizer.decide(alice.identity, under: demand, correlation: id()).allow == .azure)
        fixture.checker.script(alice.identity.objectID, outage)
        fixture.time.advance(by: .seconds(301))
        #expect(await authorizer.decide(alice.identity, under: demand, correlation: id()).reason == .unreachable)
    }

    @Test("P1: only an outage is bridged: a malformed answer or a refused identity denies at once")
    func noGrace() async {
        fixture.checker.script(alice.identity.objectID, role: .user)
        _ = await decide()
        for reason in [DenialReason.malformedAnswer, .identityMayNotAsk, .resourceNotFound, .noManagedIdentity] {
            fixture.time.advance(by: .seconds(301))
            fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(reason, detail: "")))
            #expect(await decide().reason == reason)
        }
    }

    @Test("P2: after a no, no earlier allow comes back: not from the cache, not by grace, not when the no is stale")
    func noAfterYes() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        _ = await decide()
        fixture.time.advance(by: .seconds(61))
        fixture.checker.script(alice.identity.objectID, role: nil)
        #expect(await decide(60).reason == .roleNotAssigned)
        // A caller that would have accepted the older yes gets the no.
        #expect(await decide(300).reason == .roleNotAssigned)
        fixture.checker.script(alice.identity.objectID, outage)
        for _ in 0..<5 {
            fixture.time.advance(by: .seconds(61))
            #expect(await decide(86_400).allow == nil)
            #expect(await decide(86_400, waits: nil).allow == nil)
        }
    }

    @Test("P2: a no is final for a minute: nobody asks again")
    func refusalCached() async {
        fixture.checker.script(alice.identity.objectID, role: nil, lifetime: .seconds(3600))
        #expect(await decide().reason == .roleNotAssigned)
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.time.advance(by: .seconds(59))
        #expect(await decide().reason == .roleNotAssigned)
        #expect(asked == 1)
        fixture.time.advance(by: .seconds(1))
        #expect(await decide().decision == .allow(.user, .azure))
    }

    @Test("A caller that does not wait gets the last decision of a day, and the question begins behind it")
    func noWait() async {
        fixture.checker.script(alice.identity.objectID, role: .user)
        #expect(await decide(86_400, waits: nil).reason == .noRecentDecision)
        await fixture.starter.settle()
        #expect(await decide(86_400, waits: nil).decision == .allow(.user, .cache))
        fixture.checker.script(alice.identity.objectID, outage)
        fixture.time.advance(by: .seconds(86_400))
        #expect(await decide(86_400, waits: nil).decision == .allow(.user, .cache))
        await fixture.starter.settle()
        fixture.time.advance(by: .seconds(1))
        #expect(await decide(86_400, waits: nil).reason == .noRecentDecision)
    }

    @Test("After a fault nobody asks for this person for a moment, or for as long as Azure said")
    func pause() async {
        let wait = AccessCheckFault(.throttled, detail: "", retryAfter: .seconds(30))
        fixture.checker.script(alice.identity.objectID, .fault(wait))
        #expect(await decide().reason == .throttled)
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.time.advance(by: .seconds(29))
        #expect(await decide().reason == .throttled)
        #expect(asked == 1)
        fixture.time.advance(by: .seconds(1))
        #expect(await decide().allow == .azure)
    }

    @Test("A flush forgets allows and refusals alike")
    func flush() async {
        fixture.checker.script(alice.identity.objectID, role: .user)
        _ = await decide()
        await fixture.access.authorizer.flush()
        #expect(await fixture.access.authorizer.cached(alice.identity) == nil)
        fixture.checker.script(alice.identity.objectID, role: nil)
        #expect(await decide().reason == .roleNotAssigned)
    }

    @Test("P2: what was asked before a flush is told to those who wait, and counts for nobody who comes after it")
    func flushDuringQuestion() async throws {
        fixture.checker.script(alice.identity.objectID, .held)
        async let waiting = decide()
        await fixture.checker.questions.wait { $0.count == 1 }
        await fixture.time.sleeping.wait { $0.count == 1 }
        let authorizer = fixture.access.authorizer
        await authorizer.flush()
        let question = try #require(fixture.checker.questions.value.first)
        fixture.checker.script(alice.identity.objectID, role: nil)
        fixture.checker.release(question, .answer(AccessAnswer(role: .user, lifetime: nil, checker: "pas")))
        #expect(await waiting.decision == .allow(.user, .azure))
        #expect(await authorizer.cached(alice.identity) == nil)
        #expect(await decide().reason == .roleNotAssigned)
        #expect(asked == 2)
    }

    @Test("P2: who comes after a flush does not wait for a question from before it")
    func noJoiningAfterFlush() async throws {
        fixture.checker.script(alice.identity.objectID, .held)
        await fixture.access.authorizer.prepare(alice.identity, correlation: id())
        await fixture.checker.questions.wait { $0.count == 1 }
        let old = try #require(fixture.checker.questions.value.first)
        await fixture.access.authorizer.flush()
        fixture.checker.script(alice.identity.objectID, role: nil)
        #expect(await decide().reason == .roleNotAssigned)
        fixture.checker.release(old, .answer(AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")))
        await fixture.starter.settle()
        #expect(await decide().reason == .roleNotAssigned)
    }

    @Test("P13: questions under way are bounded")
    func bounded() async throws {
        var settings = AccessSettings()
        settings.questionLimit = 2
        settings.earlyQuestionLimit = 1
        let fixture = try Fixture(settings: settings)
        for number in 1...3 {
            let person = try Person("p\(number)@contoso.com", UInt32(number))
            fixture.checker.script(person.identity.objectID, .held)
            await fixture.access.authorizer.prepare(person.identity, correlation: id())
        }
        #expect(await fixture.access.authorizer.questionsUnderWay == 1)
        let (second, third) = (try Person("p2@contoso.com", 2), try Person("p3@contoso.com", 3))
        let past = DecisionDemand(maximumAge: .zero, deadline: fixture.time.bootTime())
        let authorizer = fixture.access.authorizer
        #expect(await authorizer.decide(second.identity, under: past, correlation: id()).reason == .unreachable)
        #expect(await authorizer.decide(third.identity, under: past, correlation: id()).reason == .tooManyAttempts)
    }

    @Test(
        "A checker that never returns does not hold a person's place for ever, and its late answer counts for nothing"
    )
    func overdue() async throws {
        fixture.checker.script(alice.identity.objectID, .held)
        #expect(await decide(300, waits: 0).reason == .unreachable)
        await fixture.checker.questions.wait { $0.count == 1 }
        fixture.time.advance(by: .seconds(41))
        fixture.checker.script(alice.identity.objectID, role: nil)
        #expect(await decide().reason == .roleNotAssigned)
        let old = try #require(fixture.checker.questions.value.first)
        fixture.checker.release(old, .answer(AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")))
        await fixture.starter.settle()
        #expect(await decide().reason == .roleNotAssigned)
    }

    @Test("P15: each question leaves one record with its id, its latency and the reason")
    func records() async throws {
        fixture.checker.script(alice.identity.objectID, role: .user)
        let ruling = await decide()
        let allowed = try #require(fixture.log.of(.accessCheck).first)
        #expect(allowed.verdict == .allow && allowed.role == .user && allowed.detail == "pas")
        #expect(allowed.correlation == ruling.correlation && allowed.latency == .zero)
        fixture.time.advance(by: .seconds(301))
        fixture.checker.script(alice.identity.objectID, outage)
        _ = await decide()
        let failed = try #require(fixture.log.of(.accessCheck).last)
        #expect(failed.verdict == .deny && failed.reason == .unreachable && failed.detail == "no route")
        #expect(fixture.log.of(.accessCheck).count == 2)
    }
}
