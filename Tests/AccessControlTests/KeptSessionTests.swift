// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import Identity
import Testing

@Suite(.timeLimit(.minutes(15))) struct KeptSessionTests {
    private let keeper = FakeKeeper()
    private let alice: Person

    init() throws { alice = try Person("alice@contoso.com", 1) }

    /// A new daemon, which at its start gets back the sessions that the keeper holds. `role` is alice's role.
    private func fixture(_ role: Role? = .user, keeper: FakeKeeper? = nil) throws -> Fixture {
        let fixture = try Fixture(keeper: keeper ?? self.keeper)
        fixture.accounts.set(alice.name, .enrolled(alice.enrolled()))
        fixture.checker.script(alice.identity.objectID, role: role)
        return fixture
    }

    private func sudo(_ fixture: Fixture) async -> StageVerdict {
        await fixture.access.accountStage.decide(fixture.accountRequest(alice, service: "sudoers"), callerPID: 99)
    }

    private func close(_ fixture: Fixture, _ pid: Int32 = Fixture.sshd) {
        fixture.access.sessionStage.close(user: alice.name.text, uid: alice.uid.number, callerPID: pid)
    }

    @Test("P1: a session from before a restart of the daemon is raised: by sudo, by a round", arguments: [true, false])
    func raised(bySudo: Bool) async throws {
        #expect(try await fixture().signIn(alice) == .allow)
        let fixture = try self.fixture(.administrator)
        fixture.access.start()
        #expect(fixture.access.openSessions().map(\.pid) == [Fixture.sshd])
        if bySudo { #expect(await sudo(fixture) == .allow) } else { await fixture.access.renewal.renew() }
        #expect(Array(fixture.grants.current().keys) == [alice.uid])
        #expect(fixture.log.of(.raised).map(\.user) == [alice.name.text])
        close(fixture)
        #expect(fixture.log.of(.sessionClosed).map(\.service) == ["sshd"])
        #expect(fixture.grants.current().isEmpty && keeper.names.isEmpty)
    }

    private func kept(_ pid: Int32, _ person: Person, service: String = "") -> KeptSession {
        KeptSession(
            pid: pid,
            uid: person.uid,
            openedAt: UnixTime(seconds: 18),
            isAdministrator: true,
            service: service
        )
    }

    @Test("P2: a session that ended while the daemon was away raises nobody, though its number lives again")
    func ended() async throws {
        let before = try self.fixture()
        #expect(await before.signIn(alice) == .allow)
        before.processes.kill(Fixture.sshd)
        let fixture = try self.fixture(.administrator)
        #expect(fixture.processes.watch(pid: Fixture.sshd)?.isAlive == true, "another process has that number")
        fixture.access.start()
        #expect(fixture.access.openSessions().isEmpty && keeper.names.isEmpty)
        #expect(await sudo(fixture) == .ignore)
        #expect(fixture.grants.current().isEmpty)
    }

    @Test("P2: what is kept under another process's number, another name or for no account is no session")
    func strange() async throws {
        let bob = try Person("bob@contoso.com", 2)
        let fixture = try self.fixture(.administrator)
        let process = try #require(fixture.processes.watch(pid: 4712))
        for name in [kept(4711, alice).name, kept(4712, bob).name, "session-2-4712", "stored", ""] {
            _ = keeper.keep(process, as: name)
        }
        fixture.access.start()
        #expect(fixture.access.openSessions().isEmpty && keeper.names.isEmpty)
        #expect(await sudo(fixture) == .ignore)
    }

    @Test("P13: as many are kept as find room; one that ends makes room for the next")
    func room() throws {
        let keeper = FakeKeeper(limit: 2)
        let processes = FakeProcesses()
        let sessions = OpenSessions(keeper: keeper)
        for pid in [4711, 4712, 4713] as [Int32] {
            let process = try #require(processes.watch(pid: pid))
            #expect(sessions.add(process, uid: alice.uid, isAdministrator: false, at: UnixTime(seconds: 5)))
        }
        let kept = { keeper.names.compactMap { KeptSession(name: $0)?.pid } }
        #expect(kept() == [4711, 4712] && sessions.count == 3)
        processes.kill(4712)
        sessions.sweep()
        #expect(kept() == [4711, 4713] && sessions.count == 2)
        let restored = OpenSessions(keeper: keeper)
        restored.restore { _ in true }
        #expect(restored.list().map(\.pid) == [4711, 4713])
        #expect(restored.list().map(\.openedAt.seconds) == [5, 5])
    }

    @Test("What a keeper that takes nothing missed is kept, or released, with a later look")
    func later() throws {
        let sessions = OpenSessions(keeper: keeper)
        let processes = FakeProcesses()
        let process = try #require(processes.watch(pid: 4711))
        keeper.setDeaf(true)
        #expect(sessions.add(process, uid: alice.uid, isAdministrator: false, at: UnixTime(seconds: 5)))
        #expect(keeper.names.isEmpty)
        keeper.setDeaf(false)
        sessions.sweep()
        #expect(keeper.names == ["session-1-4711-\(alice.uid)-5-u-sshd"])
        keeper.setDeaf(true)
        #expect(sessions.remove(pid: 4711, uid: alice.uid) == "sshd")
        keeper.setDeaf(false)
        sessions.sweep()
        #expect(keeper.names.isEmpty)
    }

    @Test("A name is read as it was written, and nothing else is a name")
    func names() throws {
        for service in ["sshd", "", "login", "my-service_2.x"] {
            let session = KeptSession(
                pid: 4711,
                uid: alice.uid,
                openedAt: UnixTime(seconds: 1_800_000_000),
                isAdministrator: service.isEmpty,
                service: service
            )
            #expect(KeptSession(name: session.name) == session)
            #expect(session.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") })
        }
        let strange = KeptSession(
            pid: 1,
            uid: alice.uid,
            openedAt: UnixTime(seconds: 0),
            isAdministrator: false,
            service: "a:b\nc"
        )
        #expect(strange.service.isEmpty && strange.name.utf8.count < 255)
    }

    @Test("P13: a name that was cut short, or has another byte, is another session or none")
    func damaged() throws {
        let uid = alice.uid
        let session = kept(47, alice, service: "sshd")
        let name = session.name
        for length in 0..<name.utf8.count {
            let read = KeptSession(name: String(name.prefix(length)))
            #expect(read.map { $0.service != "sshd" && $0.name == name.prefix(length) } ?? true)
        }
        for index in 0..<name.utf8.count {
            for byte in [0, 0x20, UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "0"), UInt8(ascii: "9"), 0x7F] {
                var bytes = Array(name.utf8)
                guard bytes[index] != byte else { continue }
                bytes[index] = byte
                let text = String(decoding: bytes, as: UTF8.self)
                #expect(KeptSession(name: text).map { $0 != session && $0.name == text } ?? true)
            }
        }
        let others = [
            "0-\(uid)-1-u-", "-1-\(uid)-1-u-", "1-0-1-u-", "1-\(uid)-1-x-", "+1-\(uid)-1-u-", "01-\(uid)-1-u-",
        ]
        for other in others + ["1-\(uid)--1-u-"] { #expect(KeptSession(name: "session-1-\(other)") == nil) }
    }
}
