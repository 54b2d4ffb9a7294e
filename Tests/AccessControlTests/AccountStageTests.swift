// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(15))) struct AccountStageTests {
    private let fixture: Fixture
    private let alice: Person
    private let bob: Person

    init() throws {
        fixture = try Fixture()
        alice = try Person("alice@contoso.com", 1)
        bob = try Person("bob@contoso.com", 2)
        for person in [alice, bob] {
            fixture.accounts.set(person.name, .provisional(person.account))
            fixture.checker.script(person.identity.objectID, role: .user)
        }
    }

    private func enrol(_ person: Person) { fixture.accounts.set(person.name, .enrolled(person.enrolled())) }

    private func decide(_ request: AccountRequest, in pid: Int32 = Fixture.sshd) async -> StageVerdict {
        await fixture.access.accountStage.decide(request, callerPID: pid)
    }

    @discardableResult
    private func verify(_ person: Person, _ number: UInt8 = 1, in pid: Int32 = Fixture.sshd) -> PrincipalVerdict {
        fixture.access.certificateCheck.check(
            fixture.request(person, fixture.certificate(for: person, number), in: pid)
        )
    }

    private func text(_ verdict: StageVerdict) -> String {
        guard case .deny(_, let text) = verdict else { return "" }
        return text
    }

    // MARK: Inside sshd

    @Test("P4: a verified certificate and the role let a person on, without effects")
    func allow() async {
        verify(alice)
        #expect(await decide(fixture.accountRequest(alice)) == .allow)
        #expect(fixture.accounts.enrolBegan.value == 0)
        #expect(fixture.grants.grantCount == 0)
        let record = fixture.log.of(.account).first
        #expect(record?.verdict == .allow && record?.role == .user && record?.objectID == alice.identity.objectID)
    }

    @Test("P4: without a certificate verified in this very process nobody gets on")
    func nothingVerified() async {
        verify(alice)
        #expect(await decide(fixture.accountRequest(alice), in: 4712).reason == .certificateNotVerified)
        fixture.processes.reuse(Fixture.sshd)
        #expect(await decide(fixture.accountRequest(alice)).reason == .certificateNotVerified)
    }

    @Test("P4: a certificate verified longer ago than the login grace does not count")
    func expired() async {
        verify(alice)
        fixture.time.advance(by: .seconds(121))
        #expect(await decide(fixture.accountRequest(alice)).reason == .certificateNotVerified)
    }

    @Test("P4: two object ids in one process are refused, whichever came first")
    func twoIdentities() async throws {
        let twin = try Person("alice@contoso.com", 77, uid: 1)
        verify(alice)
        verify(twin, 2)
        #expect(await decide(fixture.accountRequest(alice)).reason == .certificateNotVerified)
    }

    @Test("P4: a certificate for another name in the same process is refused")
    func twoNames() async {
        verify(alice)
        verify(bob)
        #expect(await decide(fixture.accountRequest(alice)).reason == .certificateNotVerified)
    }

    @Test(
        "A decision rests on one view of the accounts, the certificate's and the stage's, for a target and its caller"
    )
    func oneView() async throws {
        verify(alice)
        #expect(fixture.accounts.views.value == 1)
        #expect(await decide(fixture.accountRequest(alice)) == .allow)
        #expect(fixture.accounts.views.value == 2)
        for person in [alice, bob] { fixture.accounts.set(person.name, .enrolled(person.enrolled())) }
        var request = fixture.accountRequest(alice, service: "su")
        request.invokingUser = bob.name.text
        request.invokingUID = bob.uid.number
        #expect(await decide(request) == .allow)
        #expect(fixture.accounts.views.value == 3)
    }

    @Test("Two certificates of one person are fine")
    func twoCertificates() async {
        verify(alice, 1)
        verify(alice, 2)
        #expect(await decide(fixture.accountRequest(alice)) == .allow)
    }

    @Test("P6: uid or home that changed since the certificate was verified are refused")
    func recordChanged() async {
        verify(alice)
        var request = fixture.accountRequest(alice)
        request.uid += 1
        #expect(await decide(request).reason == .recordChanged)
        request = fixture.accountRequest(alice)
        request.home = "/home/other"
        #expect(await decide(request).reason == .recordChanged)
        request = fixture.accountRequest(alice)
        request.uid = 1000
        #expect(await decide(request).reason == .recordChanged)
        // Another account took the uid in between: the account to enrol differs from the record that sshd has.
        let moved = Account(
            name: alice.name,
            uid: bob.uid,
            displayName: "",
            home: alice.home,
            shell: "/bin/bash"
        )
        fixture.accounts.set(alice.name, .provisional(moved))
        #expect(await decide(fixture.accountRequest(alice)).reason == .recordChanged)
    }

    @Test("P5: a name that got another object id in between is refused")
    func objectIDChanged() async throws {
        verify(alice)
        let other = try Person("alice@contoso.com", 77)
        let enrolled = EnrolledAccount(
            account: alice.account,
            identity: other.identity,
            enrolledAt: UnixTime(seconds: 0)
        )
        fixture.accounts.set(alice.name, .enrolled(enrolled))
        #expect(await decide(fixture.accountRequest(alice)).reason == .objectIDChanged)
    }

    @Test("P7: whose short name leads to another user is refused; a new account does without that name from then on")
    func nameTaken() async throws {
        let short = try #require(ShortName("alice"))
        let account = Account(
            name: alice.name,
            uid: alice.account.uid,
            displayName: "",
            home: alice.home,
            shell: "/bin/bash",
            shortName: short
        )
        var request = fixture.accountRequest(alice)
        request.isNameTaken = true
        fixture.accounts.set(alice.name, .provisional(account))
        #expect(await decide(request).reason == .certificateNotVerified)
        #expect(fixture.accounts.held == [], "P3: nobody has proved anything")
        verify(alice)
        #expect(await decide(request).reason == .numberTaken)
        #expect(fixture.accounts.held == [short])
        let time = UnixTime(seconds: 0)
        let enrolled = EnrolledAccount(account: account, identity: alice.identity, enrolledAt: time)
        fixture.accounts.set(alice.name, .enrolled(enrolled))
        #expect(await decide(request).reason == .numberTaken)
        #expect(fixture.accounts.held == [short], "the name is the account's own")
    }

    @Test("P8: local users in sshd are ignored, and leave no record")
    func local() async {
        let request = AccountRequest(service: "sshd", user: "localadmin", uid: 1000, home: "/home/l", isInSSHD: true)
        #expect(await decide(request) == .ignore)
        #expect(fixture.log.records.value.isEmpty)
    }

    @Test("P15: who has no role reads why, what to ask for, and the id of the record")
    func noRole() async throws {
        fixture.checker.script(alice.identity.objectID, role: nil)
        verify(alice)
        let verdict = await decide(fixture.accountRequest(alice))
        #expect(verdict.reason == .roleNotAssigned)
        let record = try #require(fixture.log.of(.account).first)
        let id = try #require(record.correlation)
        let expected =
            "Azure role not assigned: ask for \"Virtual Machine User Login\" on this machine "
            + "(\(fixture.machine.resource)); if it was given just now, try again in a minute. Correlation id \(id)"
        #expect(text(verdict) == expected)
        #expect(record.verdict == .deny && record.reason == .roleNotAssigned && record.latency != nil)
        #expect(fixture.checker.questions.value.map(\.correlation).contains(id))
    }

    @Test("P1: in an outage a first sign-in is refused, and an earlier allow goes on with a record that says grace")
    func outage() async {
        fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "no route")))
        verify(alice)
        #expect(await decide(fixture.accountRequest(alice)).reason == .unreachable)
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.time.advance(by: .seconds(5))
        #expect(await decide(fixture.accountRequest(alice)) == .allow)
        fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "no route")))
        fixture.time.advance(by: .seconds(301))
        verify(alice, 3)
        #expect(await decide(fixture.accountRequest(alice)) == .allow)
        let record = fixture.log.of(.account).last
        #expect(record?.detail == "grace")
        #expect(record?.priority == .warning)
    }

    @Test("P2: a sudo that an Entra user made look like sshd gets no sign-in's rules, for root neither")
    func looksLikeSSHD() async {
        enrol(alice)
        verify(alice)
        var request = fixture.accountRequest(alice)
        request.invokingUID = alice.uid.number
        #expect(await decide(request).reason == .unsupported)
        request = AccountRequest(service: "sudo", user: "root", uid: 0, home: "/root", isInSSHD: true)
        request.invokingUID = alice.uid.number
        #expect(await decide(request).reason == .unsupported)
        // The request has only the name of a user whom NSS no longer knows.
        request.invokingUID = nil
        request.invokingUser = bob.name.text.uppercased()
        #expect(await decide(request).reason == .unsupported)
    }

    // MARK: Outside sshd

    @Test(
        "Never enrolled means refused, in every service, as a target too",
        arguments: ["sudo", "su", "login", "cron"]
    )
    func notEnrolled(service: String) async {
        #expect(await decide(fixture.accountRequest(alice, service: service)).reason == .notEnrolled)
        #expect(fixture.checker.questions.value.isEmpty)
    }

    @Test("P8: where no Entra user is concerned, nothing is said", arguments: ["sudo", "su", "cron", "login"])
    func ignore(service: String) async {
        let request = AccountRequest(
            service: service,
            user: "root",
            uid: 0,
            home: "/root",
            invokingUser: "local",
            invokingUID: 1000
        )
        #expect(await decide(request) == .ignore)
        #expect(fixture.log.records.value.isEmpty)
    }

    @Test("P8: an Entra name that NSS does not know is refused, not ignored")
    func unknownToNSS() async {
        let request = AccountRequest(service: "su", user: alice.name.text, uid: UInt32.max, home: "")
        #expect(await decide(request).reason != nil)
    }

    @Test("P6: outside sshd, too, uid and home must be the enrolled ones")
    func recordElsewhere() async {
        enrol(alice)
        var request = fixture.accountRequest(alice, service: "login")
        request.uid += 5
        #expect(await decide(request).reason == .recordChanged)
        request = fixture.accountRequest(alice, service: "login")
        request.home = "/tmp"
        #expect(await decide(request).reason == .recordChanged)
    }

    @Test(
        "P2: sudo's plugin: membership and role, both; without a membership there is no question to Azure and no record"
    )
    func sudoers() async throws {
        enrol(alice)
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        var request = fixture.accountRequest(alice, service: "sudoers")
        request.holdsAdministratorsGroup = true
        #expect(await decide(request, in: 99) == .ignore)
        #expect(fixture.log.of(.account).isEmpty && fixture.checker.questions.value.isEmpty)
        try fixture.grants.grant(uid: alice.uid, until: fixture.time.bootTime().advanced(by: .seconds(900)))
        #expect(await decide(request, in: 99) == .allow)
        #expect(fixture.log.of(.account).map(\.service) == ["sudoers"])
        fixture.checker.script(alice.identity.objectID, role: .user)
        fixture.time.advance(by: .seconds(61))
        #expect(await decide(request, in: 99).reason == .administratorRoleNeeded)
        // The refusal has ended the membership.
        #expect(await decide(request, in: 99) == .ignore)
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(await decide(request, in: 99) == .ignore, "the role alone, without a new sign-in")
    }

    @Test("P2: sudo needs a decision of the last minute: a role that was removed bars the next one")
    func sudoAge() async {
        enrol(alice)
        #expect(await fixture.sudo(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, role: nil)
        fixture.time.advance(by: .seconds(60))
        #expect(await fixture.sudo(alice) == .allow)
        fixture.time.advance(by: .seconds(1))
        #expect(await fixture.sudo(alice).reason == .roleNotAssigned)
        #expect(fixture.checker.questions.value.count == 2)
    }

    @Test("P2: who acts with the administrators' gid must still be one, and the line names the role")
    func loweredRole() async {
        enrol(alice)
        let verdict = await fixture.sudo(alice, holdsGroup: true)
        #expect(verdict.reason == .administratorRoleNeeded)
        #expect(text(verdict).contains("\"Virtual Machine Administrator Login\""))
        #expect(await fixture.sudo(alice) == .allow)
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        fixture.time.advance(by: .seconds(61))
        #expect(await fixture.sudo(alice, holdsGroup: true) == .allow)
    }

    @Test("P2: under another service's name, too, who acts with the administrators' gid must still be one")
    func gidUnderAnotherName() async {
        enrol(alice)
        fixture.checker.script(alice.identity.objectID, role: .user)
        var request = fixture.accountRequest(alice, service: "site")
        #expect(await decide(request) == .allow)
        request.holdsAdministratorsGroup = true
        #expect(await decide(request).reason == .administratorRoleNeeded)
    }

    @Test("P2: who is listed as administrator must still be one; the answer that says no ends the listing at once")
    func listedAdministrator() async throws {
        enrol(alice)
        try fixture.grants.grant(uid: alice.uid, until: fixture.time.bootTime().advanced(by: .seconds(3600)))
        #expect(await fixture.sudo(alice).reason == .administratorRoleNeeded)
        #expect(fixture.grants.current().isEmpty)
        #expect(fixture.log.of(.withdrawn).count == 1)
    }

    @Test("P2: with targetpw sudo asks about root: the one who asks is decided on, by uid and by name")
    func targetpw() async {
        enrol(alice)
        let byUID = AccountRequest(
            service: "sudo",
            user: "root",
            uid: 0,
            home: "/root",
            invokingUID: alice.uid.number,
            holdsAdministratorsGroup: true
        )
        #expect(await decide(byUID).reason == .administratorRoleNeeded)
        let byName = AccountRequest(
            service: "sudo",
            user: "root",
            uid: 0,
            home: "/root",
            invokingUser: alice.name.text,
            invokingUID: 0,
            holdsAdministratorsGroup: true
        )
        #expect(await decide(byName).reason == .administratorRoleNeeded)
        #expect(fixture.log.of(.account).allSatisfy { $0.objectID == alice.identity.objectID })
    }

    @Test("sudo and su are decided for the one who asks and for the target")
    func bothPersons() async {
        enrol(alice)
        enrol(bob)
        var request = fixture.accountRequest(bob, service: "su")
        request.invokingUID = alice.uid.number
        #expect(await decide(request) == .allow)
        #expect(
            Set(fixture.checker.questions.value.map(\.objectID)) == [alice.identity.objectID, bob.identity.objectID]
        )
        fixture.checker.script(bob.identity.objectID, role: nil)
        fixture.time.advance(by: .seconds(61))
        #expect(await decide(request).reason == .roleNotAssigned)
        fixture.checker.script(bob.identity.objectID, role: .user)
        fixture.checker.script(alice.identity.objectID, role: nil)
        fixture.time.advance(by: .seconds(61))
        #expect(await decide(request).reason == .roleNotAssigned)
    }

    @Test("A uid of entralogin's range that nobody has may not ask")
    func strangerAsks() async {
        let request = AccountRequest(service: "sudo", user: "root", uid: 0, home: "/root", invokingUID: bob.uid.number)
        #expect(await decide(request).reason == .notEnrolled)
    }

    @Test(
        "cron takes the last decision of a day without waiting, and refuses where there is none",
        arguments: ["cron", "atd"]
    )
    func batch(service: String) async {
        enrol(alice)
        let request = fixture.accountRequest(alice, service: service)
        #expect(await decide(request).reason == .noRecentDecision)
        await fixture.starter.settle()
        #expect(await decide(request) == .allow)
        fixture.checker.script(alice.identity.objectID, .fault(AccessCheckFault(.unreachable, detail: "")))
        fixture.time.advance(by: .seconds(86_300))
        #expect(await decide(request) == .allow)
        await fixture.starter.settle()
        fixture.time.advance(by: .seconds(101))
        #expect(await decide(request).reason == .noRecentDecision)
    }

    @Test("P2: cron refuses after a no, however old the no is")
    func batchAfterNo() async {
        enrol(alice)
        let request = fixture.accountRequest(alice, service: "cron")
        _ = await decide(request)
        await fixture.starter.settle()
        fixture.checker.script(alice.identity.objectID, role: nil)
        fixture.time.advance(by: .seconds(301))
        #expect(await decide(request) == .allow)
        await fixture.starter.settle()
        #expect(await decide(request).reason == .roleNotAssigned)
        fixture.time.advance(by: .seconds(3600))
        #expect(await decide(request).reason == .roleNotAssigned)
    }

    @Test(
        "MaxSignInAge bars sudo and cron until the next sign-in over SSH, and never sshd",
        arguments: ["sudo", "cron", "login"]
    )
    func signInAge(service: String) async {
        enrol(alice)
        verify(alice)
        _ = await decide(fixture.accountRequest(alice))
        fixture.accounts.noteSignIn(alice.identity, at: fixture.time.wallTime())
        fixture.time.jumpWall(by: 30 * 86_400)
        #expect(await decide(fixture.accountRequest(alice, service: service)) == .allow)
        fixture.time.jumpWall(by: 1)
        #expect(await decide(fixture.accountRequest(alice, service: service)).reason == .signInTooOld)
        #expect(await decide(fixture.accountRequest(alice)) == .allow)
        fixture.time.jumpWall(by: -40 * 86_400)
        #expect(await decide(fixture.accountRequest(alice, service: service)).reason == .signInTooOld)
    }

    @Test("Where no sign-in is known, the enrolment counts")
    func signInUnknown() async {
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled(at: 1_800_000_000 - 31 * 86_400)))
        #expect(await fixture.sudo(alice).reason == .signInTooOld)
    }

    @Test("P15: every decision leaves exactly one record")
    func oneRecord() async {
        enrol(alice)
        let requests = ["sudo", "login", "su", "cron"].map { fixture.accountRequest(alice, service: $0) }
        for request in requests { _ = await decide(request) }
        #expect(fixture.log.of(.account).map(\.service) == ["sudo", "login", "su", "cron"])
        #expect(fixture.log.of(.account).allSatisfy { $0.verdict != nil && $0.correlation != nil && $0.latency != nil })
    }

    @Test("P12: what was typed is cleaned and bounded before it is recorded")
    func hostileName() async {
        let name = "\u{1b}[31m\n" + String(repeating: "x", count: 500)
        _ = await decide(AccountRequest(service: "su\n", user: name, uid: alice.uid.number, home: ""))
        let record = fixture.log.of(.account).first
        #expect((record?.user?.utf8.count ?? 999) <= 128)
        #expect(record?.message.unicodeScalars.contains { $0.value < 0x20 } == false)
    }
}
