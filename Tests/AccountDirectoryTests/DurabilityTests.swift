// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Glibc
import Identity
import LinuxSystem
import Synchronization
import TestSupport
import Testing

/// The files of a folder at one moment, as a kill -9 would leave them.
private struct Remains: Sendable {
    var step: String
    var files: [String: [UInt8]] = [:]

    init(of folder: String, at step: String) {
        self.step = step
        for name in TemporaryFolder.names(in: folder) {
            files[name] = try? AtomicFile("\(folder)/\(name)").read(limit: 1 << 24)
        }
    }

    /// Writes the files without syncing, which takes time and is not needed here.
    func put(into folder: TemporaryFolder) {
        for (name, bytes) in files { folder.write(bytes, to: name) }
    }
}

private final class Witness: Sendable {
    private let seen = Mutex<[Remains]>([])

    var all: [Remains] { seen.withLock { $0 } }

    func look(at folder: String, _ step: String) { seen.withLock { $0.append(Remains(of: folder, at: step)) } }
}

@Suite struct DurabilityTests {
    let fixture = Fixture()

    private func watch() -> Witness {
        let witness = Witness()
        let folder = fixture.folder.path
        fixture.disk.atEachStep { step in witness.look(at: folder, step) }
        return witness
    }

    /// Starts on what is left: requires that person 1's account, if it existed, is unchanged, and enrols the next
    /// person.
    private func check(_ remains: Remains, old: EnrolledAccount? = nil) async throws -> AccountDirectory {
        let other = Fixture()
        remains.put(into: other.folder)
        let directory = other.start()
        #expect(directory.report().fault == nil, "\(remains.step)")
        if let old {
            #expect(directory.view().enrolled(uid: old.account.uid.number) == old, "\(remains.step)")
            #expect(try await directory.signIn(old.account.name.text, as: 1) == old, "\(remains.step)")
        }
        try await directory.signIn("next@contoso.com", as: 9)
        directory.noteSignIn(try identity(9), at: fixture.clock.wallTime().adding(seconds: 1))
        await directory.flushSignIns()
        let published = PublishedAccounts("\(other.folder.path)/accounts.snapshot")
        #expect(published?.count == UInt32(directory.report().enrolled), "\(remains.step)")
        #expect(!other.folder.names.contains { $0.hasSuffix(".new") }, "\(remains.step)")
        return directory
    }

    @Test("P14: killed at any step of an enrolment, the machine comes back with the old table or the new one")
    func killedWhileEnrolling() async throws {
        let directory = fixture.start()
        let old = try await directory.signIn("alice@contoso.com", as: 1)
        let witness = watch()
        let new = try await directory.signIn("bob@contoso.com", as: 2)
        fixture.disk.atEachStep(nil)
        #expect(witness.all.count >= 2 * AtomicFile.Step.allCases.count)
        var outcomes: Set<Bool> = []
        for remains in witness.all {
            let found = try await check(remains, old: old).view().enrolled(uid: new.account.uid.number)
            #expect(found == nil || found == new, "\(remains.step)")
            outcomes.insert(found == nil)
        }
        #expect(outcomes == [true, false])
    }

    @Test("P14: killed at any step of the first start, the machine starts anew")
    func killedAtFirstStart() async throws {
        let witness = watch()
        _ = fixture.start()
        fixture.disk.atEachStep(nil)
        #expect(witness.all.count >= 2 * (AtomicFile.Step.allCases.count - 1))
        for remains in witness.all { _ = try await check(remains) }
    }

    @Test("P14: whichever step of an enrolment fails, nothing is lost, nobody is let in unrecorded, the next try works")
    func failures() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        fixture.disk.fail(at: nil)
        _ = try await directory.signIn("bob@contoso.com", as: 2)
        let steps = fixture.disk.reached
        for (index, step) in steps.enumerated() {
            let text = "p\(index)@contoso.com"
            fixture.disk.fail(at: index)
            #expect(await reason { try await directory.signIn(text, as: 100 + index) } == .enrolmentFailed, "\(step)")
            #expect(directory.view().enrolled(uid: alice.account.uid.number) == alice)
            let again = try await directory.signIn(text, as: 100 + index)
            #expect(directory.view().standing(of: try name(text)) == .enrolled(again), "\(step)")
        }
        #expect(directory.report().enrolled == steps.count + 2)
        #expect(fixture.folder.names.allSatisfy { !$0.hasSuffix(".new") })
    }

    @Test("P14: killed at any step of a renaming, retirement or rebinding, the account is in one state or the other")
    func killedWhileChanging() async throws {
        let directory = fixture.start()
        let alice = try await directory.signIn("alice@contoso.com", as: 1)
        let bob = try await directory.signIn("bob@contoso.com", as: 2)
        let new = try name("alicia@contoso.com")
        let witness = watch()
        var states = [alice]
        _ = await reason { try await directory.signIn("alicia@contoso.com", as: 1) }
        states.append(try #require(directory.view().enrolled(uid: alice.account.uid.number)))
        states.append(try await directory.retire(new))
        states.append(try await directory.rebind(new, to: try identity(3).objectID))
        states.append(try await directory.rename(new, to: alice.account.name))
        fixture.disk.atEachStep(nil)
        #expect(Set(states).count == 5)
        #expect(witness.all.count >= 4 * 2 * AtomicFile.Step.allCases.count)
        var last = 0
        for remains in witness.all {
            let directory = try await check(remains)
            let found = try #require(directory.view().enrolled(uid: alice.account.uid.number), "\(remains.step)")
            // Never an earlier state, never anything in between.
            let state = try #require(states.firstIndex(of: found), "\(remains.step): \(found)")
            #expect(state >= last, "\(remains.step)")
            last = state
            #expect(directory.view().enrolled(uid: bob.account.uid.number) == bob, "\(remains.step)")
        }
        #expect(last == states.count - 1)
    }

    @Test(
        "P14: a disk that is full, broken or read-only: the enrolled get in, nobody new does, and the fault is named",
        arguments: [Errno.noSpace, .readOnlyFileSystem, .inputOutput, Errno(EDQUOT)]
    )
    func badDisk(error: Errno) async throws {
        var directory: AccountDirectory? = fixture.start()
        let alice = try await directory?.signIn("alice@contoso.com", as: 1)
        let (store, snapshot) = (fixture.bytes("accounts"), fixture.bytes("accounts.snapshot"))
        fixture.disk.fail("", with: error)
        for _ in 0..<2 {
            #expect(await reason { try await directory?.signIn("bob@contoso.com", as: 2) } == .enrolmentFailed)
            let names = [try name("alice@contoso.com"), try name("alicia@contoso.com")]
            #expect(await reason { _ = try await directory?.retire(names[0]) } == .enrolmentFailed)
            #expect(await reason { _ = try await directory?.rename(names[0], to: names[1]) } == .enrolmentFailed)
            let other = try identity(3).objectID
            #expect(await reason { _ = try await directory?.rebind(names[0], to: other) } == .enrolmentFailed)
            #expect(try await directory?.signIn("alice@contoso.com", as: 1) == alice)
            let warnings = directory?.report().enrolmentFaults ?? []
            #expect(warnings.contains { $0.contains("\(error)") && $0.contains("accounts") }, "\(warnings)")
            #expect(fixture.bytes("accounts") == store)
            #expect(fixture.bytes("accounts.snapshot") == snapshot)
            // The same after a restart.
            directory = nil
            directory = fixture.start()
            #expect(directory?.report().fault == nil)
        }
        fixture.disk.fail(nil)
        try await directory?.signIn("bob@contoso.com", as: 2)
        #expect(directory?.report().enrolmentFaults.isEmpty == true)
    }

    @Test("P14: killed at any step of writing down sign-in times, the old list or the new one is there")
    func killedWhileNoting() async throws {
        let directory = fixture.start()
        try await directory.signIn("alice@contoso.com", as: 1)
        let times = [1_700_000_100, 1_700_000_200].map { UnixTime(seconds: $0) }
        directory.noteSignIn(try identity(1), at: times[0])
        await directory.flushSignIns()
        let witness = watch()
        directory.noteSignIn(try identity(1), at: times[1])
        await directory.flushSignIns()
        fixture.disk.atEachStep(nil)
        #expect(witness.all.count >= AtomicFile.Step.allCases.count)
        var found: Set<UnixTime> = []
        for remains in witness.all {
            let last = try #require(try await check(remains).lastSignIn(try identity(1)))
            #expect(times.contains(last), "\(remains.step)")
            found.insert(last)
        }
        #expect(found == Set(times))
    }
}
