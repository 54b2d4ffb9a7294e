// SPDX-License-Identifier: Apache-2.0

import Authorization
import Identity
import Testing

@testable import AccessControl

@Suite(.timeLimit(.minutes(15))) struct LastAttemptsTests {
    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(alice.account))
    }

    private func explain() async -> Explanation {
        await fixture.access.explanation.explain(alice.name.text, asking: true)
    }

    private func step(_ subject: String) async -> Explanation.Step? {
        await explain().steps.first { $0.subject == subject }
    }

    private func showCertificate() -> PrincipalVerdict {
        fixture.access.certificateCheck.check(fixture.request(alice, fixture.certificate(for: alice)))
    }

    @Test(
        "P16: a name that never signed in and was refused for want of the role: object id, time, and Azure's answer now"
    )
    func refusedNewcomer() async throws {
        fixture.checker.script(alice.identity.objectID, role: nil)
        #expect(await fixture.signIn(alice).reason == .roleNotAssigned)
        fixture.time.advance(by: .seconds(12))
        let attempt = try #require(await step("attempt"))
        #expect(attempt.text.contains("\(alice.identity.objectID)") && attempt.text.contains("12 s ago"))
        #expect(attempt.reason == "role-not-assigned")
        let explanation = await explain()
        #expect(explanation.outcome == .refused)
        #expect(explanation.account?.isEnrolled == false)
        fixture.checker.script(alice.identity.objectID, role: .user)
        await fixture.access.authorizer.flush()
        #expect(await explain().outcome == .ok)
    }

    @Test("P16: a certificate that was refused is named with its reason, and is not known to be better now")
    func refusedCertificate() async throws {
        let tenant = "22222222-2222-4222-8222-222222222222"
        let certificate = fixture.certificate(for: try Person("alice@contoso.com", 1, tenant: tenant))
        #expect(fixture.access.certificateCheck.check(fixture.request(alice, certificate)).reason == .wrongTenant)
        let attempt = try #require(await step("attempt"))
        #expect(attempt.outcome == .unknown && attempt.text.contains("certificate of \(tenant)"))
        #expect(!attempt.remedy.isEmpty)
        fixture.time.advance(by: .seconds(4000))
        #expect(await step("attempt")?.outcome == .ok)
    }

    @Test("P16: a good certificate whose key was not proved is named; who goes on to a session leaves nothing to say")
    func unproved() async throws {
        _ = showCertificate()
        #expect(await step("attempt") == nil)
        fixture.time.advance(by: .seconds(12))
        let attempt = try #require(await step("attempt"))
        #expect(attempt.outcome == .unknown && attempt.text.contains("12 s ago"))
        fixture.checker.script(alice.identity.objectID, role: .user)
        await fixture.access.authorizer.flush()
        #expect(await fixture.signIn(alice) == .allow)
        fixture.time.advance(by: .seconds(12))
        #expect(await step("attempt") == nil)
    }

    @Test("P13: the table holds a bounded number of names, and none that cannot be an Entra account's")
    func bounded() throws {
        let attempts = LastAttempts()
        attempts.note(.certificateShown, of: "root", nil, at: fixture.time.bootTime())
        #expect(attempts.count == 0)
        for number in 0...LastAttempts.limit {
            let denial = Denial(.certificate, detail: String(repeating: "x", count: 4000))
            attempts.note(.refused(denial), of: "user\(number)@contoso.com", nil, at: fixture.time.bootTime())
        }
        #expect(attempts.count == LastAttempts.limit)
        #expect(attempts.last(of: try #require(UserName("user0@contoso.com"))) == nil)
        guard case .refused(let kept) = attempts.last(of: try #require(UserName("user1@contoso.com")))?.stage else {
            Issue.record("not kept")
            return
        }
        #expect(kept.detail.utf8.count <= 512)
    }

    @Test(
        "P16: a short name of one account is answered with the whole one; the administrator is not sent to an administrator"
    )
    func words() async throws {
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        let short = await fixture.access.explanation.explain("alice", asking: false)
        #expect(short.steps[0].text.contains("did you mean alice@contoso.com?"))
        fixture.stamp.set(Denial(.stackNotVerified))
        #expect(await step("stack")?.remedy == "entraloginctl doctor names the cause")
    }
}
