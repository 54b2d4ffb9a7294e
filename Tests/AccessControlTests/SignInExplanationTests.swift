// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite(.timeLimit(.minutes(15))) struct SignInExplanationTests {
    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .administrator)
    }

    private func explain(_ name: String = "alice@contoso.com", asking: Bool = false) async -> Explanation {
        await fixture.access.explanation.explain(name, asking: asking)
    }

    private func step(_ subject: String, in explanation: Explanation) throws -> Explanation.Step {
        try #require(explanation.steps.first { $0.subject == subject })
    }

    @Test("Without being told to, it asks Azure nothing and says what is not known")
    func quiet() async throws {
        let explanation = await explain()
        #expect(explanation.outcome == .unknown)
        #expect(try step("role", in: explanation).outcome == .unknown)
        #expect(fixture.checker.questions.value.isEmpty)
        let subjects = ["name", "stack", "machine", "keys", "account", "role", "administrator", "sign-in"]
        #expect(explanation.steps.map(\.subject) == subjects)
    }

    @Test("Told to, it asks, and shows the role and the correlation id")
    func asking() async throws {
        let explanation = await explain(asking: true)
        #expect(explanation.outcome == .ok)
        let id = try #require(fixture.checker.questions.value.first?.correlation)
        let role = try step("role", in: explanation)
        #expect(role.text.contains("Virtual Machine Administrator Login") && role.text.contains("\(id)"))
        #expect(try step("role", in: await explain()).text.contains("0 s ago"))
    }

    @Test("It says why an account has no short name where others have one")
    func shortName() async throws {
        #expect(try !step("account", in: await explain()).text.contains("short name"))
        fixture.accounts.hinder(alice.name, "a local user is called alice")
        #expect(try step("account", in: await explain()).text.contains("no short name (a local user is called alice)"))
    }

    @Test("A missing role is refused with the role to ask for and where")
    func noRole() async throws {
        fixture.checker.script(alice.identity.objectID, role: nil)
        for asking in [true, false] {
            let role = try step("role", in: await explain(asking: asking))
            #expect(role.outcome == .refused && role.reason == "role-not-assigned")
            #expect(role.remedy.contains(fixture.machine.resource.path))
        }
    }

    @Test("What is wrong on the machine is refused step by step")
    func machine() async throws {
        fixture.stamp.set(Denial(.stackNotVerified, detail: "UsePAM is no"))
        fixture.machines.set(nil)
        let explanation = await explain()
        #expect(explanation.outcome == .refused)
        #expect(try step("stack", in: explanation).text.contains("UsePAM is no"))
        #expect(try step("machine", in: explanation).reason == "machine-unknown")
    }

    @Test("A name that cannot be an Entra account's, a local account and a user never seen are told apart")
    func names() async throws {
        #expect(try step("name", in: await explain("root\u{1b}")).reason == "not-our-name")
        #expect(try step("name", in: await explain("Alice@Contoso.com")).text.contains("sign in as alice@contoso.com"))
        fixture.accounts.set(alice.name, .none(Denial(.localAccount)))
        #expect(try step("account", in: await explain()).reason == "local-account")
        fixture.accounts.set(alice.name, .provisional(alice.account))
        let provisional = await explain(asking: true)
        #expect(try step("account", in: provisional).text.contains("\(alice.uid)"))
        #expect(try step("role", in: provisional).outcome == .unknown)
        #expect(fixture.checker.questions.value.isEmpty)
    }

    @Test("P16: an account of another tenant than the one that this machine trusts now is a no")
    func otherTenant() async throws {
        let bob = try Person("bob@contoso.com", 2, tenant: "22222222-2222-4222-8222-222222222222")
        fixture.accounts.set(bob.name, .enrolled(bob.enrolled()))
        let explanation = await explain("bob@contoso.com")
        #expect(try step("tenant", in: explanation).reason == "wrong-tenant")
    }

    @Test("A sign-in too long ago, and a grant in force, are shown")
    func ages() async throws {
        try fixture.grants.grant(uid: alice.uid, until: fixture.time.bootTime().advanced(by: .seconds(90)))
        #expect(try step("administrator", in: await explain()).text.contains("1 min more"))
        fixture.time.jumpWall(by: 31 * 86_400)
        let signIn = try step("sign-in", in: await explain())
        #expect(signIn.outcome == .unknown && !signIn.remedy.isEmpty)
    }
}
