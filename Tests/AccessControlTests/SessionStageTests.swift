// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(15))) struct SessionStageTests {
    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.checker.script(alice.identity.objectID, role: .user)
    }

    private func verify() -> String {
        let certificate = fixture.certificate(for: alice)
        _ = fixture.access.certificateCheck.check(fixture.request(alice, certificate))
        return certificate
    }

    private func open(_ change: (inout SessionRequest) -> Void = { _ in }) async -> StageVerdict {
        var request = fixture.sessionRequest(alice, used: verify())
        change(&request)
        return await fixture.access.sessionStage.open(request, callerPID: Fixture.sshd)
    }

    private func expectNoEffects(_ location: SourceLocation = #_sourceLocation) {
        #expect(fixture.accounts.enrolBegan.value == 0, sourceLocation: location)
        #expect(fixture.grants.grantCount == 0, sourceLocation: location)
        #expect(fixture.accounts.lastSignIn(alice.identity) == nil, sourceLocation: location)
    }

    @Test("P4: the certificate that was used opens the session, and only then the person is enrolled")
    func opens() async {
        #expect(await fixture.signIn(alice) == .allow)
        #expect(fixture.accounts.view().allEnrolled().map(\.identity) == [alice.identity])
        #expect(fixture.accounts.view().allEnrolled().first?.account.displayName == "Somebody")
        #expect(fixture.accounts.lastSignIn(alice.identity) == fixture.time.wallTime())
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.log.of(.enrolled).count == 1)
        #expect(fixture.log.of(.sessionOpened).map(\.verdict) == [.allow])
        #expect(fixture.checker.questions.value.count == 1)
        #expect(await fixture.access.status().openSessions == 1)
    }

    @Test(
        "A new account's first session waits for its subordinate ids, within PAM's deadline; without them it opens, with a record"
    )
    func subordinateIDs() async {
        let began = fixture.time.bootTime()
        fixture.accounts.state.withLock { $0.hasSubordinateIDs = false }
        #expect(await fixture.signIn(alice) == .allow)
        let waits = fixture.accounts.state.withLock { $0.waitsForSubordinateIDs }
        #expect(waits.count == 1 && waits.allSatisfy { $0 > began && $0 <= began.advanced(by: .seconds(10)) })
        #expect(
            fixture.log.of(.fault).filter { $0.message.contains("no subordinate ids yet") }.map(\.priority) == [
                .warning
            ]
        )
        #expect(await fixture.signIn(alice) == .allow)
        #expect(fixture.accounts.state.withLock { $0.waitsForSubordinateIDs.count } == 1)
    }

    @Test("P4: once the session is open, what was verified in that process opens no second one")
    func once() async throws {
        #expect(await fixture.signIn(alice) == .allow)
        #expect(await fixture.access.status().verifiedProcesses == 0)
        let again = fixture.sessionRequest(alice, used: fixture.certificate(for: alice))
        let verdict = await fixture.access.sessionStage.open(again, callerPID: Fixture.sshd)
        #expect(verdict.reason == .certificateNotVerified)
        #expect(await fixture.access.status().openSessions == 1)
    }

    @Test("An administrator is granted for one lifetime")
    func administrator() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await fixture.signIn(alice) == .allow)
        #expect(fixture.grants.current() == [alice.uid: fixture.time.bootTime().advanced(by: .seconds(3600))])
        #expect(fixture.log.of(.granted).count == 1)
        #expect(fixture.log.of(.sessionOpened).first?.role == .administrator)
    }

    @Test("P2: while sudo could outlive the role here, an administrator signs in as a user, and the record says why")
    func withheld() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.stamp.withhold(true)
        #expect(await fixture.signIn(alice) == .allow)
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.log.of(.fault).contains { $0.message.contains("signs in as a user") })
        fixture.stamp.withhold(false)
        #expect(await fixture.signIn(alice, in: 5000) == .allow)
        #expect(fixture.grants.current().count == 1)
    }

    @Test("P1: a grant by grace ends with the grace")
    func graceGrant() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await fixture.signIn(alice) == .allow)
        let answeredAt = fixture.time.bootTime()
        fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "")))
        fixture.time.advance(by: .seconds(3000))
        #expect(await fixture.signIn(alice, in: 5000) == .allow)
        #expect(fixture.grants.current() == [alice.uid: answeredAt.advanced(by: .seconds(3600))])
        #expect(fixture.log.of(.sessionOpened).last?.detail == "grace")
    }

    @Test("P4: a connection dropped between account and session has enrolled and granted nothing")
    func dropped() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        _ = verify()
        #expect(
            await fixture.access.accountStage.decide(fixture.accountRequest(alice), callerPID: Fixture.sshd) == .allow
        )
        fixture.processes.kill(Fixture.sshd)
        expectNoEffects()
    }

    @Test("P4: whatever else was used than the verified certificate is refused, without effects, and critical")
    func forged() async {
        let other = fixture.certificate(for: alice, 2)
        let used = "publickey \(Fixture.keyType) \(fixture.certificate(for: alice))"
        let forgeries = [
            "", "password", "keyboard-interactive/pam", "publickey \(Fixture.keyType) \(other)", "\(used)\n\(used)",
            "\(used)\npassword", "\(used) ", "publickey ssh-rsa \(fixture.certificate(for: alice))", "\(used)=",
            used.replacing("publickey", with: "hostbased"), "publickey ssh-ed25519 AAAA",
        ]
        for forgery in forgeries {
            #expect(await open { $0.authenticationInfo = forgery }.reason == .certificateNotUsed, "\(forgery)")
        }
        expectNoEffects()
        #expect(fixture.log.of(.sessionOpened).count == forgeries.count)
        #expect(fixture.log.of(.sessionOpened).allSatisfy { $0.priority == .critical && $0.verdict == .deny })
    }

    @Test("P4: a session in another process than the verified one is refused")
    func pidMismatch() async {
        let request = fixture.sessionRequest(alice, used: verify())
        let verdict = await fixture.access.sessionStage.open(request, callerPID: 4712)
        #expect(verdict.reason == .certificateNotVerified)
        expectNoEffects()
    }

    @Test("P4: a process that died, or whose number was given to another, opens nothing")
    func dead() async {
        let request = fixture.sessionRequest(alice, used: verify())
        fixture.processes.reuse(Fixture.sshd)
        let stage = fixture.access.sessionStage
        #expect(await stage.open(request, callerPID: Fixture.sshd).reason == .certificateNotVerified)
        _ = verify()
        fixture.processes.kill(Fixture.sshd)
        #expect(await stage.open(request, callerPID: Fixture.sshd).reason == .certificateNotVerified)
        expectNoEffects()
    }

    @Test("P4: two object ids in one process open nothing, even with a certificate that was used")
    func twoIdentities() async throws {
        let twin = try Person("alice@contoso.com", 77, uid: 1)
        _ = fixture.access.certificateCheck.check(fixture.request(twin, fixture.certificate(for: twin)))
        #expect(await open().reason == .certificateNotVerified)
        expectNoEffects()
    }

    @Test("P6: uid, gid, home and name must be those that will be enrolled")
    func record() async throws {
        #expect(
            await open {
                $0.uid += 1
                $0.gid += 1
            }.reason == .recordChanged
        )
        #expect(await open { $0.gid = 0 }.reason == .recordChanged)
        #expect(await open { $0.gid += 1 }.reason == .recordChanged)
        #expect(await open { $0.home = "/home/bob" }.reason == .recordChanged)
        #expect(
            await open {
                $0.uid = 0
                $0.gid = 0
            }.reason == .recordChanged
        )
        #expect(await open { $0.user = "bob@contoso.com" }.reason == .certificateNotVerified)
        #expect(await open { $0.user = "ALICE@contoso.com" }.reason == .notOurName)
        expectNoEffects()
    }

    @Test("P6: an enrolment that gives another uid or home is refused, whatever the table said before")
    func enrolledElse() async throws {
        let other = try Person("alice@contoso.com", 5)
        let strange = EnrolledAccount(
            account: other.account,
            identity: alice.identity,
            enrolledAt: UnixTime(seconds: 0)
        )
        fixture.accounts.state.withLock { $0.enrolAnswer = strange }
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await fixture.signIn(alice).reason == .recordChanged)
        #expect(fixture.grants.grantCount == 0)
        #expect(await fixture.access.status().openSessions == 0)
    }

    @Test("P7: nobody gets somebody else's home, and no link or leftover is taken for one")
    func homes() async throws {
        let uid = alice.uid.number
        #expect(await open { $0.homeState = .folder(owner: 0) }.reason == .homeRefused)
        #expect(await open { $0.homeState = .folder(owner: 1000) }.reason == .homeRefused)
        #expect(await open { $0.homeState = .folder(owner: uid + 1) }.reason == .homeRefused)
        #expect(await open { $0.homeState = .strange }.reason == .homeRefused)
        expectNoEffects()
        #expect(await open { $0.homeState = .folder(owner: uid) } == .allow)
    }

    @Test("P16: whose home it is, or which folder others can write, is said to the person and to the record")
    func homeTexts() async {
        let home = alice.home
        let expected: [(HomeState, String, String)] = [
            (.folder(owner: 0), "Your home directory \(home) belongs to root", "\(home) belongs to uid 0"),
            (.folder(owner: 1001), "Your home directory \(home) belongs to another user (uid 1001)", "uid 1001"),
            (.exposed(length: 5), "Others than root can write /home, in which your home directory is", "chmod go-w"),
            (.strange, "A link or a file stands where your home directory has to be (\(home))", "is a link"),
        ]
        for (state, text, detail) in expected {
            guard case .deny(let denial, _) = await open({ $0.homeState = state }) else {
                Issue.record("\(state): not refused")
                continue
            }
            #expect(denial.text == text)
            #expect(denial.detail.contains(detail))
            #expect(denial.reason == .homeRefused)
        }
        expectNoEffects()
    }

    @Test("P1: without a role there is no session and no enrolment")
    func noRole() async {
        fixture.checker.script(alice.identity.objectID, role: nil)
        #expect(await open().reason == .roleNotAssigned)
        expectNoEffects()
        #expect(fixture.log.of(.sessionOpened).first?.priority == .notice)
    }

    @Test("P14: what cannot be enrolled is refused, and nothing is granted")
    func enrolmentFails() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.accounts.state.withLock { $0.enrolRefusal = Denial(.enrolmentFailed, detail: "disk full") }
        let verdict = await fixture.signIn(alice)
        #expect(verdict.reason == .enrolmentFailed)
        #expect(fixture.grants.grantCount == 0)
        #expect(fixture.log.of(.sessionOpened).first?.detail == "disk full")
    }

    @Test("A grant that cannot be published leaves the person in as a user, and says so")
    func grantFails() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.grants.refuse(Denial(.enrolmentFailed, detail: "no space"))
        #expect(await fixture.signIn(alice) == .allow)
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.log.of(.fault).map(\.priority) == [.error])
    }

    @Test(
        "P2: an answer that comes while the enrolment is written ends the session's grant, and a no the session",
        arguments: [Role.user, nil]
    )
    func answerDuringEnrolment(role: Role?) async throws {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.accounts.isHeld.update { $0 = true }
        let request = fixture.sessionRequest(alice, used: verify())
        let stage = fixture.access.sessionStage
        async let verdict = stage.open(request, callerPID: Fixture.sshd)
        await fixture.accounts.enrolBegan.wait { $0 == 1 }
        fixture.checker.script(alice.identity.objectID, role: role)
        fixture.time.advance(by: .seconds(1))
        await fixture.access.authorizer.flush()
        let deadline = fixture.time.bootTime().advanced(by: .seconds(5))
        let demand = DecisionDemand(maximumAge: .zero, deadline: deadline)
        let id = CountingRandom().correlationID()
        let ruling = await fixture.access.authorizer.decide(alice.identity, under: demand, correlation: id)
        #expect(ruling.decision == (role.map { .allow($0, .azure) } ?? .deny(Denial(.roleNotAssigned))))
        fixture.accounts.isHeld.update { $0 = false }
        #expect(await verdict.reason == (role == nil ? .roleNotAssigned : nil))
        #expect(fixture.grants.current().isEmpty)
    }

    @Test("P4: who hangs up while Azure is being asked is not enrolled")
    func diesDuringQuestion() async throws {
        fixture.checker.script(alice.identity.objectID, .held)
        let request = fixture.sessionRequest(alice, used: verify())
        let stage = fixture.access.sessionStage
        async let verdict = stage.open(request, callerPID: Fixture.sshd)
        await fixture.checker.questions.wait { $0.count == 1 }
        await fixture.time.sleeping.wait { $0.count == 1 }
        fixture.processes.kill(Fixture.sshd)
        let question = try #require(fixture.checker.questions.value.first)
        let answer = AccessAnswer(role: .administrator, lifetime: nil, checker: "pas")
        fixture.checker.release(question, .answer(answer))
        #expect(await verdict.reason == .certificateNotVerified)
        expectNoEffects()
    }

    @Test("A process that dies while the enrolment is written gets no grant")
    func diesDuringEnrolment() async throws {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.accounts.isHeld.update { $0 = true }
        let request = fixture.sessionRequest(alice, used: verify())
        let stage = fixture.access.sessionStage
        async let verdict = stage.open(request, callerPID: Fixture.sshd)
        await fixture.accounts.enrolBegan.wait { $0 == 1 }
        fixture.processes.kill(Fixture.sshd)
        fixture.accounts.isHeld.update { $0 = false }
        #expect(await verdict.reason == .certificateNotVerified)
        #expect(fixture.grants.grantCount == 0)
    }

    @Test("P2: who comes back as a user loses what is left of a grant")
    func lowered() async throws {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await fixture.signIn(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.time.advance(by: .seconds(301))
        #expect(await fixture.signIn(alice, in: 5000) == .allow)
        #expect(fixture.grants.current().isEmpty)
    }

    @Test("P8: local users' sessions are ignored")
    func local() async {
        var request = fixture.sessionRequest(alice, used: "")
        request.user = "localadmin"
        request.uid = 1000
        request.gid = 1000
        #expect(await fixture.access.sessionStage.open(request, callerPID: 99) == .ignore)
        #expect(fixture.log.records.value.isEmpty)
    }

    @Test("The grant ends with the person's last session, not before")
    func close() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        let stage = fixture.access.sessionStage
        for pid in [Int32(10), 11, 12] { #expect(await fixture.signIn(alice, in: pid) == .allow) }
        fixture.processes.kill(12)
        stage.close(user: alice.name.text, uid: alice.uid.number, callerPID: 10)
        #expect(fixture.grants.current().count == 1)
        // Closing for another account, or a session that was never opened, changes nothing.
        stage.close(user: alice.name.text, uid: alice.uid.number + 1, callerPID: 11)
        stage.close(user: alice.name.text, uid: alice.uid.number, callerPID: 99)
        #expect(fixture.grants.current().count == 1)
        stage.close(user: alice.name.text, uid: alice.uid.number, callerPID: 11)
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.log.of(.sessionClosed).count == 2)
        #expect(fixture.log.of(.withdrawn).count == 1)
    }

    @Test("P14: A session that opens while the person's last one is being closed keeps its grant")
    func closeWhileOpening() async {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await fixture.signIn(alice, in: 10) == .allow)
        let (fixture, alice) = (fixture, alice)
        let opening = Watched<Task<StageVerdict, Never>?>(nil)
        let isOpen = Watched(false)
        // The closing has found no other session and is about to withdraw the grant. A new session must not get its
        // grant now and lose it: it may have to wait. The test cannot observe that, so it gives it a tenth of a second.
        fixture.grants.beforeNextWithdrawal {
            let task = Task {
                let verdict = await fixture.signIn(alice, in: 11)
                isOpen.update { $0 = true }
                return verdict
            }
            opening.update { $0 = task }
            let end = ContinuousClock.now + .milliseconds(100)
            while !isOpen.value, ContinuousClock.now < end {}
        }
        fixture.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: 10)
        #expect(await opening.value?.value == .allow)
        #expect(fixture.grants.current().count == 1)
    }

    @Test("P14: an enrolled person's sign-in needs no enrolment to be recorded again")
    func again() async {
        #expect(await fixture.signIn(alice) == .allow)
        #expect(await fixture.signIn(alice, in: 5000) == .allow)
        #expect(fixture.log.of(.enrolled).count == 1)
    }
}
