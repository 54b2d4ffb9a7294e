// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Synchronization
import Testing

/// Entra as a test scripts it: a code for each request, and one answer for each question; the last one repeats.
final class ScriptedDevices: DeviceAuthority {
    struct Grant: DeviceGrant {
        let userCode = "ABCD-1234"
        let address = "https://microsoft.com/devicelogin"
        var lifetime: Duration = .seconds(900)
        let interval: Duration = .seconds(5)
        let owner: ScriptedDevices

        func redeem(by deadline: BootTime) async throws(AccessCheckFault) -> DeviceAnswer { try owner.answer() }
    }

    let begun = Watched(0)
    let asked = Watched(0)
    private let answers = Mutex<[Result<DeviceAnswer, AccessCheckFault>]>([.success(.pending)])
    private let refusal = Mutex<AccessCheckFault?>(nil)

    func script(_ given: Result<DeviceAnswer, AccessCheckFault>...) { answers.withLock { $0 = given } }

    func refuse(_ fault: AccessCheckFault?) { refusal.withLock { $0 = fault } }

    func begin(by deadline: BootTime) async throws(AccessCheckFault) -> any DeviceGrant {
        begun.update { $0 += 1 }
        if let fault = refusal.withLock({ $0 }) { throw fault }
        return Grant(owner: self)
    }

    private func answer() throws(AccessCheckFault) -> DeviceAnswer {
        asked.update { $0 += 1 }
        return try answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }.get()
    }
}

@Suite(.timeLimit(.minutes(15))) struct DeviceStageTests {
    private static let login: Int32 = 2048
    private let fixture: Fixture
    private let devices = ScriptedDevices()
    private let alice: Person

    init() throws {
        var settings = AccessSettings()
        settings.deviceServices = ["login", "su", "sudo"]
        fixture = try Fixture(settings: settings, devices: devices)
        alice = try Person("alice@contoso.com", 1)
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: .user)
        devices.script(.success(.proven(alice.identity, name: "Alice@Contoso.com")))
    }

    private var retired: EnrolledAccount {
        EnrolledAccount(
            account: alice.account,
            identity: alice.identity,
            enrolledAt: UnixTime(seconds: 1_799_999_000),
            retiredAt: UnixTime(seconds: 1_800_000_000)
        )
    }

    private func request(_ person: Person, _ change: (inout DeviceRequest) -> Void = { _ in }) -> DeviceRequest {
        var request = DeviceRequest(
            service: "login",
            user: person.name.text,
            uid: person.uid.number,
            home: person.home,
            terminal: "tty1"
        )
        change(&request)
        return request
    }

    private func begin(_ pid: Int32 = login, _ change: (inout DeviceRequest) -> Void = { _ in }) async -> DeviceProgress
    {
        await fixture.access.deviceStage.begin(request(alice, change), callerPID: pid)
    }

    private func handle(_ progress: DeviceProgress) throws -> String {
        guard case .pending(let handle, _, _) = progress else {
            Issue.record("\(progress)")
            throw Ended()
        }
        return handle
    }

    private struct Ended: Error {}

    /// Begins a sign-in, lets `intervals` of Entra's intervals pass, and asks for the result.
    private func signIn(_ pid: Int32 = login, intervals: Int = 1) async throws -> DeviceProgress {
        let handle = try handle(await begin(pid))
        for _ in 0..<intervals { await pass(.seconds(5)) }
        return await fixture.access.deviceStage.wait(handle, callerPID: pid)
    }

    /// Waits until the sign-in sleeps, then lets time pass.
    private func pass(_ duration: Duration) async {
        await fixture.time.sleeping.wait { !$0.isEmpty }
        fixture.time.advance(by: duration)
        await Task.yield()
    }

    @Test("P4: an account that root added takes no code before its person has come over SSH, and Entra is not asked")
    func added() async throws {
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled(isAdded: true)))
        guard case .over(.deny(let denial, _)) = await begin() else {
            Issue.record("a code for somebody who never came")
            return
        }
        #expect(denial.reason == .notEnrolled && denial.detail.contains("root added"))
        fixture.accounts.noteSignIn(alice.identity, at: UnixTime(seconds: 1_799_999_500))
        _ = try handle(await begin())
    }

    private func session(_ person: Person, service: String = "login", used: String = "") -> SessionRequest {
        var request = fixture.sessionRequest(person, used: "")
        request.service = service
        request.authenticationInfo = used
        return request
    }

    @Test(
        "A person with the account and the role is in: nothing durable before the session, one record of each decision"
    )
    func good() async throws {
        guard case .pending(let handle, let text, 300) = await begin() else {
            Issue.record("no code")
            return
        }
        await pass(.seconds(5))
        #expect(text.contains("ABCD-1234") && text.contains("https://microsoft.com/devicelogin"))
        #expect(text.utf8.count <= DenialText.longestLine)
        #expect(await fixture.access.deviceStage.wait(handle, callerPID: Self.login) == .over(.allow))
        #expect(fixture.log.of(.deviceSignIn).map(\.verdict) == [.allow])
        #expect(fixture.log.of(.deviceSignIn).last?.objectID == alice.identity.objectID)
        #expect(fixture.accounts.lastSignIn(alice.identity) == nil && fixture.grants.grantCount == 0)
        let account = await fixture.access.accountStage.decide(
            fixture.accountRequest(alice, service: "login"),
            callerPID: Self.login
        )
        #expect(account == .allow)
        #expect(await fixture.access.sessionStage.open(session(alice), callerPID: Self.login) == .allow)
        #expect(fixture.accounts.lastSignIn(alice.identity) == fixture.time.wallTime())
        #expect(fixture.access.openSessions().map(\.pid) == [Self.login])
        fixture.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: Self.login)
        #expect(fixture.log.of(.sessionClosed).last?.service == "login")
    }

    @Test("P4: what a code proved opens one session, in that process, for that account and record, and soon")
    func evidence() async throws {
        let bob = try Person("bob@contoso.com", 2)
        fixture.accounts.set(bob.name, .enrolled(bob.enrolled()))
        fixture.checker.script(bob.identity.objectID, role: .administrator)
        let stage = fixture.access.sessionStage
        #expect(try await signIn() == .over(.allow))
        #expect(await stage.open(session(bob), callerPID: Self.login).reason == .recordChanged)
        #expect(await stage.open(session(alice), callerPID: 77).reason == .certificateNotVerified)
        #expect(
            await stage.open(session(alice, service: "sshd"), callerPID: Self.login).reason == .certificateNotVerified
        )
        let key = session(alice, used: "publickey ssh-rsa AAAA\n")
        #expect(await stage.open(key, callerPID: Self.login).reason == .certificateNotVerified)
        #expect(fixture.grants.grantCount == 0)
        #expect(await stage.open(session(alice), callerPID: Self.login) == .allow)
        #expect(await stage.open(session(alice), callerPID: Self.login).reason == .certificateNotVerified)
        #expect(try await signIn() == .over(.allow))
        fixture.time.advance(by: .seconds(121))
        #expect(await stage.open(session(alice), callerPID: Self.login).reason == .certificateNotVerified)
        #expect(try await signIn(90) == .over(.allow))
        fixture.processes.reuse(90)
        #expect(await stage.open(session(alice), callerPID: 90).reason == .certificateNotVerified)
    }

    @Test("An administrator is granted when the session opens, and not before")
    func administrator() async throws {
        fixture.checker.script(alice.identity.objectID, role: .administrator)
        #expect(try await signIn() == .over(.allow))
        #expect(fixture.grants.grantCount == 0)
        #expect(await fixture.access.sessionStage.open(session(alice), callerPID: Self.login) == .allow)
        #expect(fixture.grants.current().keys.map(\.number) == [alice.uid.number])
    }

    @Test(
        "P1: the approver must be the account's own user, of this tenant, with the role: each refusal has its reason"
    )
    func wrongPeople() async throws {
        let other = try Person("bob@contoso.com", 2)
        let elsewhere = try Person("alice@contoso.com", 1, tenant: "22222222-2222-4222-8222-222222222222")
        let cases: [(DeviceAnswer, DenialReason)] = [
            (.proven(other.identity, name: "bob@contoso.com"), .wrongName),
            (.proven(alice.identity, name: "alicia@contoso.com"), .wrongName),
            (.proven(other.identity, name: "alice@contoso.com"), .objectIDChanged),
            (.proven(elsewhere.identity, name: "alice@contoso.com"), .wrongTenant),
            (.proven(alice.identity, name: "alice_contoso.com#EXT#@fabrikam.com"), .wrongName),
            (.refused(Denial(.deviceDeclined)), .deviceDeclined), (.refused(Denial(.identityToken)), .identityToken),
        ]
        for (answer, reason) in cases {
            devices.script(.success(answer))
            #expect(try await signIn().reason == reason)
            #expect(fixture.log.of(.deviceSignIn).last?.reason == reason)
        }
        devices.script(.success(.proven(alice.identity, name: "alice@contoso.com")))
        fixture.checker.script(alice.identity.objectID, role: nil)
        let refused = try await signIn()
        #expect(refused.reason == .roleNotAssigned)
        guard case .over(.deny(_, let text)) = refused else { return }
        #expect(text.contains("Virtual Machine User Login") && text.contains("Correlation id"))
        #expect(
            await fixture.access.sessionStage.open(session(alice), callerPID: Self.login).reason
                == .certificateNotVerified
        )
    }

    @Test("Nobody's turn here: another service, sshd, a foreign user, a feature that is off. Entra is not asked")
    func ignored() async throws {
        #expect(await begin { $0.service = "gdm" } == .over(.ignore))
        #expect(await begin { $0.isInSSHD = true } == .over(.ignore))
        #expect(
            await begin {
                $0.uid = 1000
                $0.user = "lisa"
            } == .over(.ignore)
        )
        let off = try Fixture(settings: AccessSettings(), devices: devices)
        #expect(await off.access.deviceStage.begin(request(alice), callerPID: Self.login) == .over(.ignore))
        var settings = AccessSettings()
        settings.deviceServices = ["login"]
        let without = try Fixture(settings: settings)
        #expect(await without.access.deviceStage.begin(request(alice), callerPID: Self.login) == .over(.ignore))
        #expect(devices.begun.value == 0)
    }

    @Test("P5: who never signed in, is retired, has another record, or is no person: refused, and Entra is not asked")
    func accounts() async throws {
        #expect(await begin { $0.home = "/home/other" }.reason == .recordChanged)
        #expect(await begin { $0.uid += 1 }.reason == .recordChanged)
        fixture.accounts.set(alice.name, .provisional(alice.account))
        #expect(await begin().reason == .notEnrolled)
        fixture.accounts.set(alice.name, .enrolled(retired))
        #expect(await begin().reason == .accountRetired)
        let robot = try Person("00000000-0000-4000-8000-0000000000aa", 9)
        fixture.accounts.set(robot.name, .enrolled(robot.enrolled()))
        #expect(await fixture.access.deviceStage.begin(request(robot), callerPID: 3).reason == .unsupported)
        #expect(devices.begun.value == 0)
    }

    @Test("An account that is retired, or a role that goes, while the person types: refused")
    func meanwhile() async throws {
        devices.script(.success(.pending), .success(.proven(alice.identity, name: "alice@contoso.com")))
        let handle = try handle(await begin())
        await pass(.seconds(5))
        fixture.accounts.set(alice.name, .enrolled(retired))
        await devices.asked.wait { $0 == 1 }
        await pass(.seconds(5))
        #expect(await fixture.access.deviceStage.wait(handle, callerPID: Self.login).reason == .accountRetired)
    }

    /// Requires that the daemon asks Entra again after exactly `duration`. Until then, the user's process asks the
    /// daemon every 20 s.
    private func next(after duration: Duration, _ handle: String, in fixture: Fixture) async {
        let until = fixture.time.bootTime().advanced(by: duration)
        await fixture.time.sleeping.wait { $0.contains(until) }
        let count = devices.asked.value
        while fixture.time.bootTime() < until {
            _ = await fixture.access.deviceStage.wait(handle, callerPID: Self.login)
            fixture.time.advance(by: min(.seconds(20), fixture.time.bootTime().duration(to: until)))
        }
        await devices.asked.wait { $0 > count }
    }

    @Test("slow_down makes the next question five seconds later; a fault doubles the wait, and five of them end it")
    func pace() async throws {
        var settings = AccessSettings()
        settings.deviceServices = ["login"]
        settings.deviceWait = .zero
        let fixture = try Fixture(settings: settings, devices: devices)
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        devices.script(.success(.slowDown), .success(.pending), .failure(AccessCheckFault(.unreachable, detail: "x")))
        let handle = try handle(await fixture.access.deviceStage.begin(request(alice), callerPID: Self.login))
        for seconds in [5, 10, 10, 20, 40, 60, 60] { await next(after: .seconds(seconds), handle, in: fixture) }
        await fixture.starter.settle()
        #expect(await fixture.access.deviceStage.wait(handle, callerPID: Self.login).reason == .unreachable)
    }

    @Test("The code's own end, and the limit of the settings, end it, whichever is first")
    func ends() async throws {
        devices.script(.success(.pending))
        var settings = AccessSettings()
        settings.deviceServices = ["login"]
        settings.deviceWait = .zero
        settings.deviceLimit = .seconds(12)
        let fixture = try Fixture(settings: settings, devices: devices)
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        let handle = try handle(await fixture.access.deviceStage.begin(request(alice), callerPID: Self.login))
        await next(after: .seconds(5), handle, in: fixture)
        await next(after: .seconds(5), handle, in: fixture)
        let end = fixture.time.bootTime().advanced(by: .seconds(2))
        await fixture.time.sleeping.wait { $0.contains(end) }
        fixture.time.advance(by: .seconds(2))
        await fixture.starter.settle()
        #expect(await fixture.access.deviceStage.wait(handle, callerPID: Self.login).reason == .deviceExpired)
        #expect(devices.asked.value == 2)
    }

    @Test("P13: a user who holds places under another's name takes none of that user's, at sudo, su or a console")
    func invokers() async throws {
        devices.script(.success(.pending))
        let su = { (uid: UInt32) in
            { (request: inout DeviceRequest) in
                request.service = "su"
                request.realUID = uid
            }
        }
        for pid: Int32 in 1...3 { _ = try handle(await begin(pid, su(1000))) }
        #expect(await begin(4, su(1000)).reason == .tooManyAttempts)
        // Under a third user's name too: all three sign-ins count for the invoker, uid 1000.
        let bob = try Person("bob@contoso.com", 2)
        fixture.accounts.set(bob.name, .enrolled(bob.enrolled()))
        let other = await fixture.access.deviceStage.begin(request(bob, su(1000)), callerPID: 4)
        #expect(other.reason == .tooManyAttempts)
        for pid: Int32 in 5...7 { _ = try handle(await begin(pid) { $0.service = "sudo" }) }
        // Alice's own su counts like her sudo. For programs that root runs, the account counts.
        #expect(await begin(8, su(alice.uid.number)).reason == .tooManyAttempts)
        for pid: Int32 in 9...11 { _ = try handle(await begin(pid)) }
        #expect(await begin(12).reason == .tooManyAttempts)
        _ = try handle(await begin(13, su(1001)))
    }

    @Test("P13: three sign-ins at once for an invoker, 64 in all; a place is nobody else's, and free again afterwards")
    func limits() async throws {
        devices.script(.success(.pending))
        for pid: Int32 in 1...3 { _ = try handle(await begin(pid)) }
        #expect(await begin(4).reason == .tooManyAttempts)
        // The same process again keeps its place.
        _ = try handle(await begin(3))
        fixture.processes.kill(2)
        _ = try handle(await begin(4))
        for number: UInt32 in 10..<71 {
            let person = try Person("user\(number)@contoso.com", number)
            fixture.accounts.set(person.name, .enrolled(person.enrolled()))
            _ = try handle(await fixture.access.deviceStage.begin(request(person), callerPID: Int32(number)))
        }
        let late = try Person("late@contoso.com", 99)
        fixture.accounts.set(late.name, .enrolled(late.enrolled()))
        #expect(await fixture.access.deviceStage.begin(request(late), callerPID: 99).reason == .tooManyAttempts)
        #expect(fixture.access.deviceStage.pendingCount == 64)
        devices.refuse(AccessCheckFault(.unsupported, detail: "x"))
        fixture.processes.kill(10)
        #expect(await fixture.access.deviceStage.begin(request(late), callerPID: 99).reason == .unsupported)
        #expect(fixture.access.deviceStage.pendingCount == 63)
    }

    @Test("A handle counts in the process that began it only; an unknown one is refused")
    func handles() async throws {
        devices.script(.success(.pending))
        let handle = try handle(await begin())
        #expect(await fixture.access.deviceStage.wait(handle, callerPID: 7).reason == .deviceExpired)
        #expect(await fixture.access.deviceStage.wait("other", callerPID: Self.login).reason == .deviceExpired)
        fixture.processes.reuse(Self.login)
        #expect(await fixture.access.deviceStage.wait(handle, callerPID: Self.login).reason == .deviceExpired)
    }

    @Test("Nobody asks any more, or the process is gone: Entra is not asked again, and a late approval is nobody's")
    func abandoned() async throws {
        devices.script(.success(.pending))
        _ = try handle(await begin())
        await pass(.seconds(5))
        await devices.asked.wait { $0 == 1 }
        devices.script(.success(.proven(alice.identity, name: "alice@contoso.com")))
        await pass(.seconds(31))
        await fixture.starter.settle()
        #expect(devices.asked.value == 1)
        #expect(fixture.log.of(.deviceSignIn).last?.reason == .deviceExpired)
        #expect(
            await fixture.access.sessionStage.open(session(alice), callerPID: Self.login).reason
                == .certificateNotVerified
        )
    }

    @Test("A second sign-in of a process takes the first one's place: the first one's approval is nobody's")
    func again() async throws {
        devices.script(.success(.proven(alice.identity, name: "alice@contoso.com")))
        let first = try handle(await begin())
        let second = try handle(await begin())
        #expect(first != second)
        #expect(await fixture.access.deviceStage.wait(first, callerPID: Self.login).reason == .deviceExpired)
        await fixture.time.sleeping.wait { $0.count == 2 }
        fixture.time.advance(by: .seconds(5))
        #expect(await fixture.access.deviceStage.wait(second, callerPID: Self.login) == .over(.allow))
        await fixture.starter.settle()
        #expect(fixture.log.of(.deviceSignIn).count { $0.verdict == .allow } == 1)
    }

    @Test("A user who has just signed in with a code is not too long ago, in that process alone")
    func age() async throws {
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled(at: 1_700_000_000)))
        let request = fixture.accountRequest(alice, service: "login")
        let stage = fixture.access.accountStage
        #expect(await stage.decide(request, callerPID: Self.login).reason == .signInTooOld)
        #expect(try await signIn() == .over(.allow))
        #expect(await stage.decide(request, callerPID: Self.login) == .allow)
        #expect(await stage.decide(request, callerPID: 7).reason == .signInTooOld)
    }
}

// MARK: - Step-up

extension DeviceStageTests {
    private func stepUp(_ change: (inout DeviceRequest) -> Void = { _ in }) async throws -> DeviceProgress {
        let handle = try handle(
            await begin {
                $0.service = "sudo"
                change(&$0)
            }
        )
        await pass(.seconds(5))
        return await fixture.access.deviceStage.wait(handle, callerPID: Self.login)
    }

    @Test("A step-up names sudo and the person, and leaves nothing behind: no session, no newer sign-in")
    func stepUp() async throws {
        let begun = await begin { $0.service = "sudo" }
        guard case .pending(_, let text, _) = begun else {
            Issue.record("no code")
            return
        }
        #expect(text.contains("sudo") && text.contains(alice.name.text) && text.utf8.count <= DenialText.longestLine)
        #expect(try await stepUp() == .over(.allow))
        #expect(fixture.log.of(.deviceSignIn).last?.service == "sudo")
        for service in ["sudo", "login"] {
            let opened = await fixture.access.sessionStage.open(session(alice, service: service), callerPID: Self.login)
            #expect(opened.reason == .certificateNotVerified)
        }
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled(at: 1_700_000_000)))
        #expect(try await stepUp() == .over(.allow))
        let account = await fixture.access.accountStage.decide(
            fixture.accountRequest(alice, service: "sudo"),
            callerPID: Self.login
        )
        #expect(account.reason == .signInTooOld)
        #expect(fixture.accounts.lastSignIn(alice.identity) == nil && fixture.grants.grantCount == 0)
    }

    @Test("P2: who acts with the administrators' gid must be one still, at the same age as in sudo's account stage")
    func stepUpRole() async throws {
        let refused = try await stepUp { $0.holdsAdministratorsGroup = true }
        #expect(refused.reason == .administratorRoleNeeded)
        guard case .over(.deny(_, let text)) = refused else { return }
        #expect(text.contains("Virtual Machine Administrator Login"))
        // The user's own sudo rule needs only the role that they have.
        #expect(try await stepUp() == .over(.allow))
        fixture.checker.script(alice.identity.objectID, role: nil)
        fixture.time.advance(by: .seconds(61))
        #expect(try await stepUp().reason == .roleNotAssigned)
    }

    @Test("P1: another user's proof is none, and a service principal cannot prove anything")
    func stepUpByOthers() async throws {
        let other = try Person("bob@contoso.com", 2)
        devices.script(.success(.proven(other.identity, name: "bob@contoso.com")))
        #expect(try await stepUp().reason == .wrongName)
        devices.script(.success(.proven(other.identity, name: "alice@contoso.com")))
        #expect(try await stepUp().reason == .objectIDChanged)
        let robot = try Person("00000000-0000-4000-8000-0000000000aa", 9)
        fixture.accounts.set(robot.name, .enrolled(robot.enrolled()))
        let asked = await fixture.access.deviceStage.begin(request(robot) { $0.service = "sudo" }, callerPID: 3)
        #expect(asked.reason == .unsupported)
        #expect(await begin { $0.service = "sudo-i" } == .over(.ignore))
    }
}

extension DeviceProgress {
    fileprivate var reason: DenialReason? {
        guard case .over(let verdict) = self else { return nil }
        return verdict.reason
    }
}
