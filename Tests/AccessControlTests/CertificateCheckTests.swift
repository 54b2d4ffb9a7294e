// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import OpenSSHCertificates
import Testing

@Suite(.timeLimit(.minutes(15))) struct CertificateCheckTests {
    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(alice.account))
        fixture.checker.script(alice.identity.objectID, role: .user)
    }

    private func check(_ change: (inout CertificateRequest) -> Void = { _ in }) -> PrincipalVerdict {
        var request = fixture.request(alice, fixture.certificate(for: alice))
        change(&request)
        return fixture.access.certificateCheck.check(request)
    }

    @Test("P3: a good certificate prints its principal as it is spelled there, and Azure is asked nothing")
    func good() async throws {
        let spelled = Fixture.certificate(for: alice, principal: "Alice@Contoso.com")
        #expect(check { $0.certificate = spelled } == .principal("Alice@Contoso.com"))
        await fixture.starter.settle()
        #expect(fixture.checker.questions.value.isEmpty && fixture.source.fetches.value == 0)
    }

    @Test("P3: whatever Azure says by now, a certificate without the proof of its key ends nothing of its holder's")
    func grantStays() async throws {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await fixture.signIn(alice) == .allow)
        #expect(fixture.grants.current()[alice.uid] != nil)
        fixture.checker.script(alice.identity.objectID, role: nil)
        fixture.time.advance(by: .seconds(600))
        let before = fixture.checker.questions.value.count
        #expect(check { $0.sshdProcess = 4712 } == .principal(alice.name.text))
        await fixture.starter.settle()
        #expect(fixture.checker.questions.value.count == before && fixture.grants.current()[alice.uid] != nil)
        // The account stage, which comes after the user has proved the key, gets the no, which ends the grant.
        let verdict = await fixture.access.accountStage.decide(fixture.accountRequest(alice), callerPID: 4712)
        #expect(verdict.reason == .roleNotAssigned && fixture.grants.current().isEmpty)
    }

    @Test("P15: sshd's two runs for one sign-in leave one record, allowed or refused")
    func oneRecord() async {
        for _ in 0..<2 { #expect(check() == .principal(alice.name.text)) }
        #expect(fixture.log.of(.certificate).count == 1)
        #expect(fixture.log.of(.certificate).first?.verdict == .allow)
        var ids: Set<CorrelationID> = []
        for _ in 0..<2 {
            guard case .deny(_, let correlation) = check({ $0.certificate = "bad" }) else { continue }
            ids.insert(correlation)
        }
        #expect(fixture.log.of(.certificate).count == 2)
        #expect(ids == Set([fixture.log.of(.certificate).last?.correlation].compactMap(\.self)))
        #expect(
            check {
                $0.certificate = "bad"
                $0.sshdProcess = 4712
            }.reason == .certificate
        )
        #expect(fixture.log.of(.certificate).count == 3)
    }

    @Test("Without a verified integration no Entra account gets in")
    func stamp() {
        fixture.stamp.set(Denial(.stackNotVerified, detail: "UsePAM is no"))
        #expect(check().reason == .stackNotVerified)
        #expect(fixture.checker.questions.value.isEmpty)
    }

    @Test(
        "Only names of Entra accounts, in lower case",
        arguments: ["root", "Alice@contoso.com", "", "alice", "alice@contoso.com\n", "-a"]
    )
    func names(name: String) {
        #expect(check { $0.user = name }.reason == .notOurName)
    }

    @Test("P7: a name without an account here is refused with its own reason")
    func standing() {
        fixture.accounts.set(alice.name, .none(Denial(.localAccount)))
        #expect(check().reason == .localAccount)
    }

    @Test("P6: sshd's uid and home must be those of the account")
    func record() {
        #expect(check { $0.uid += 1 }.reason == .recordChanged)
        #expect(check { $0.uid = 0 }.reason == .recordChanged)
        #expect(check { $0.home = "/home/bob" }.reason == .recordChanged)
    }

    @Test("P5: an enrolled name with another object id is refused and explained")
    func objectIDChanged() async throws {
        let other = try Person("alice@contoso.com", 2)
        let enrolled = EnrolledAccount(
            account: alice.account,
            identity: other.identity,
            enrolledAt: UnixTime(seconds: 0)
        )
        fixture.accounts.set(alice.name, .enrolled(enrolled))
        guard case .deny(let denial, _) = check() else {
            Issue.record("allowed")
            return
        }
        #expect(denial.reason == .objectIDChanged)
        #expect(denial.detail.contains(other.identity.objectID.description))
        let command = "entraloginctl users rebind alice@contoso.com --object-id \(alice.identity.objectID)"
        #expect(denial.detail.contains(command))
        #expect(fixture.log.of(.certificate).map(\.objectID) == [alice.identity.objectID])
        // The user sees only "Permission denied"; the administrator runs explain.
        fixture.time.advance(by: .seconds(90))
        let explanation = await fixture.access.explanation.explain("alice@contoso.com", asking: false)
        let step = try #require(explanation.steps.first { $0.subject == "object" })
        #expect(step.outcome == .unknown && step.reason == "object-id-changed")
        #expect(step.text.contains("\(alice.identity.objectID)") && step.text.contains("1 min ago"))
        #expect(step.remedy.contains(command))
        // Once root has confirmed that it is the same person, the step is gone.
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        let after = await fixture.access.explanation.explain("alice@contoso.com", asking: false)
        #expect(!after.steps.contains { $0.subject == "object" })
    }

    @Test("A retired account stays out")
    func retired() {
        let retired = EnrolledAccount(
            account: alice.account,
            identity: alice.identity,
            enrolledAt: UnixTime(seconds: 0),
            retiredAt: UnixTime(seconds: 1)
        )
        fixture.accounts.set(alice.name, .enrolled(retired))
        #expect(check().reason == .accountRetired)
    }

    @Test("P1: without the machine or without CA keys nothing is good")
    func nothingKnown() async throws {
        fixture.machines.set(nil)
        #expect(check().reason == .machineUnknown)
        let empty = try Fixture(persistedKeys: false)
        empty.accounts.set(alice.name, .provisional(alice.account))
        let request = empty.request(alice, empty.certificate(for: alice))
        #expect(empty.access.certificateCheck.check(request).reason == .noAuthorityKeys)
        // The keyring fetches keys at its own times, not when an unauthenticated client connects (P3).
        await empty.starter.settle()
        #expect(empty.source.fetches.value == 0)
        await empty.access.keyring.refresh()
        #expect(try empty.access.keyring.keys == [Fixture.key(1)])
        #expect(empty.access.certificateCheck.check(request).reason == nil)
    }

    @Test("A certificate of another tenant is refused")
    func tenant() throws {
        let mallory = try Person("alice@contoso.com", 1, tenant: "22222222-2222-4222-8222-222222222222")
        let certificate = fixture.certificate(for: mallory)
        #expect(check { $0.certificate = certificate }.reason == .wrongTenant)
    }

    @Test("A refusal of the rules is the answer, and no question is asked")
    func refused() async throws {
        let expired = Fixture.certificate(for: alice, validBefore: UInt64(fixture.time.wallTime().seconds))
        #expect(check { $0.certificate = expired }.reason == .certificate)
        let bobs = Fixture.certificate(for: alice, principal: "bob@contoso.com")
        #expect(check { $0.certificate = bobs }.reason == .wrongName)
        await fixture.starter.settle()
        #expect(fixture.checker.questions.value.isEmpty)
        let details = fixture.log.of(.certificate).compactMap(\.detail)
        #expect(details.count == 2 && details[0].hasPrefix("expired: ") && details[1].hasPrefix("wrong-name: "))
    }

    @Test("P3: an unknown CA is refused, and no keys are fetched for it")
    func unknownAuthority() async {
        let foreign = Fixture.certificate(for: alice, authority: 9)
        for pid in 100..<110 {
            #expect(
                check {
                    $0.certificate = foreign
                    $0.sshdProcess = UInt32(pid)
                }.reason == .certificate
            )
        }
        await fixture.starter.settle()
        #expect(fixture.source.fetches.value == 0)
    }

    @Test("An unknown CA in check-certificate, which is root's, begins an early refresh, but not at every try")
    func unknownAuthorityExamined() async throws {
        let foreign = Fixture.certificate(for: alice, authority: 9)
        func verify() {
            #expect(throws: Denial.self) {
                try fixture.access.verify(keyType: Fixture.keyType, base64: foreign, for: alice.name)
            }
        }
        for _ in 0..<10 { verify() }
        await fixture.starter.settle()
        #expect(fixture.source.fetches.value == 1)
        fixture.time.advance(by: .seconds(301))
        verify()
        await fixture.starter.settle()
        #expect(fixture.source.fetches.value == 2)
    }

    @Test("A process number that no process can have is refused", arguments: [0, 1, UInt32.max])
    func process(pid: UInt32) {
        #expect(check { $0.sshdProcess = pid }.reason == .certificateNotVerified)
    }

    @Test("P3: 10,000 calls with whatever content change nothing durable and ask Azure nothing")
    func noEffects() async {
        for number in 0..<10_000 {
            _ = check { request in
                request.certificate = "garbage \(number)"
                request.user = number % 2 == 0 ? "user\(number)@contoso.com" : request.user
                request.sshdProcess = UInt32(number)
            }
        }
        await fixture.starter.settle()
        #expect(fixture.checker.questions.value.isEmpty)
        #expect(fixture.accounts.enrolBegan.value == 0)
        #expect(fixture.grants.grantCount == 0)
        #expect(fixture.keyFile.content.value.isEmpty)
        #expect(await fixture.access.status().verifiedProcesses == 0)
    }
}
