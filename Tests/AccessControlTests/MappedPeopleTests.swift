// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Synchronization
import Testing

/// The system knows a mapped account by its old uid; grants and the table use a uid from entralogin's range.
@Suite("P7: Mapped accounts, from certificate to sudo") struct MappedPeopleTests {
    private static let number: UInt32 = 1001

    private let fixture: Fixture
    private let alice: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .provisional(MappedPeopleTests.mapped(alice.account)))
        let person = try #require(
            MappedPerson(name: alice.name, objectID: alice.identity.objectID, uid: MappedPeopleTests.number)
        )
        fixture.accounts.state.withLock { $0.listed[person.name] = person }
        fixture.checker.script(alice.identity.objectID, role: .administrator)
    }

    private static func mapped(_ account: Account) -> Account {
        Account(
            name: account.name,
            uid: account.uid,
            displayName: account.displayName,
            home: account.home,
            shell: account.shell,
            mappedUID: number
        )
    }

    private func check(_ person: Person, uid: UInt32 = number) -> (PrincipalVerdict, certificate: String) {
        let certificate = fixture.certificate(for: person)
        var request = fixture.request(person, certificate)
        request.uid = uid
        return (fixture.access.certificateCheck.check(request), certificate)
    }

    private func account(_ service: String = "sshd", uid: UInt32 = number) async -> StageVerdict {
        var request = fixture.accountRequest(alice, service: service)
        request.uid = uid
        return await fixture.access.accountStage.decide(request, callerPID: Fixture.sshd)
    }

    private func open(_ certificate: String, _ change: (inout SessionRequest) -> Void = { _ in }) async -> StageVerdict
    {
        var request = fixture.sessionRequest(alice, used: certificate)
        request.uid = MappedPeopleTests.number
        request.gid = MappedPeopleTests.number
        request.homeState = .folder(owner: MappedPeopleTests.number)
        change(&request)
        return await fixture.access.sessionStage.open(request, callerPID: Fixture.sshd)
    }

    private func sudo(uid: UInt32?, name: String) async -> StageVerdict {
        var request = AccountRequest(service: "sudo", user: "root", uid: 0, home: "/root", isInSSHD: false)
        request.invokingUID = uid
        request.invokingUser = name
        request.holdsAdministratorsGroup = true
        return await fixture.access.accountStage.decide(request, callerPID: 99)
    }

    private func signIn() async -> StageVerdict {
        let (_, certificate) = check(alice)
        let verdict = await account()
        guard verdict == .allow else { return verdict }
        return await open(certificate)
    }

    @Test("The whole way with the old number; the grant has entralogin's number, and ends with the session")
    func signsIn() async {
        #expect(await signIn() == .allow)
        #expect(fixture.grants.current().keys.map(\.number) == [alice.uid.number])
        #expect(fixture.accounts.view().allEnrolled().first?.account.systemUID == MappedPeopleTests.number)
        fixture.access.sessionStage.close(user: alice.name.text, uid: MappedPeopleTests.number, callerPID: Fixture.sshd)
        #expect(fixture.grants.current().isEmpty && fixture.access.openSessions().isEmpty)
    }

    @Test("P6: Neither the number in entralogin's range nor anybody else's passes for the one that the files have")
    func numbers() async {
        for uid in [alice.uid.number, 1002, 0] {
            #expect(check(alice, uid: uid).0.reason == .recordChanged)
            #expect(await account("cron", uid: uid) != .allow)
        }
        let (_, certificate) = check(alice)
        #expect(await open(certificate) { $0.uid = alice.uid.number }.reason == .recordChanged)
        #expect(await open(certificate) { $0.gid = 100 }.reason == .recordChanged)
        #expect(await open(certificate) { $0.homeState = .folder(owner: alice.uid.number) }.reason == .homeRefused)
        #expect(fixture.accounts.view().allEnrolled().isEmpty && fixture.grants.current().isEmpty)
    }

    @Test("P5: Another object under the name is refused before anybody is enrolled")
    func otherObject() async throws {
        let mallory = try Person("alice@contoso.com", 2)
        #expect(check(mallory).0.reason == .objectIDChanged)
        #expect(await account() != .allow)
    }

    @Test("P4: A planted key opens nothing, though the account is a local one")
    func plantedKey() async {
        #expect(await account().reason == .certificateNotVerified)
        #expect(await open("").reason == .certificateNotVerified)
        #expect(await account("login").reason == .notEnrolled)
    }

    @Test("P2: sudo is asked about by the old number or the name; a role that is gone refuses it")
    func elevation() async {
        #expect(await signIn() == .allow)
        #expect(await sudo(uid: MappedPeopleTests.number, name: "") == .allow)
        #expect(await sudo(uid: nil, name: alice.name.text) == .allow)
        fixture.checker.script(alice.identity.objectID, role: .user)
        await fixture.access.authorizer.flush()
        #expect(await sudo(uid: MappedPeopleTests.number, name: "").reason == .administratorRoleNeeded)
        #expect(fixture.grants.current().isEmpty)
    }

    @Test("logind is asked about the number that it knows")
    func renewal() async {
        #expect(await signIn() == .allow)
        fixture.processes.kill(Fixture.sshd)
        fixture.processes.setLoginSession(MappedPeopleTests.number, true)
        let before = fixture.grants.grantCount
        fixture.time.advance(by: .seconds(1_800))
        await fixture.access.renewal.renew()
        #expect(fixture.grants.grantCount == before + 1)
    }

    @Test("In the list, and refused for what the files say: never ignored")
    func mismatches() async {
        fixture.accounts.set(alice.name, .none(Denial(.recordChanged)))
        for uid in [MappedPeopleTests.number, 1002] {
            #expect(await account(uid: uid) != .ignore)
            #expect(await account("cron", uid: uid) != .ignore)
            #expect(await open("") { $0.uid = uid } != .ignore)
        }
        #expect(await sudo(uid: nil, name: alice.name.text).reason == .recordChanged)
    }
}
