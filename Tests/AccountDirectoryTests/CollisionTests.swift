// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import Testing

/// Two names whose search for a number begins at the same one (`FIRST + SHA-256(tenant, 0, name) % COUNT`).
@Suite struct CollisionTests {
    let fixture = Fixture()
    private let one = "n7012@contoso.com"
    private let two = "n15032@contoso.com"
    private let shared: UInt32 = 1_976_506_381

    @Test("P5: of two names with one number the first to enrol has it, and the other gets the next one, for ever")
    func collision() async throws {
        for (first, second) in [(one, two), (two, one)] {
            let fixture = Fixture()
            var directory: AccountDirectory? = fixture.start()
            #expect(try directory?.provisional(first).uid.number == shared)
            #expect(try directory?.provisional(second).uid.number == shared)
            #expect(try await directory?.signIn(first, as: 1).account.uid.number == shared)
            #expect(try await directory?.signIn(second, as: 2).account.uid.number == shared + 1)
            directory = nil
            let again = fixture.start()
            #expect(try await again.signIn(second, as: 2).account.uid.number == shared + 1)
            #expect(try await again.signIn(first, as: 1).account.uid.number == shared)
        }
    }

    @Test("P6: of two whom sshd gave one number, the later one is refused, and gets another at the next try")
    func race() async throws {
        let directory = fixture.start()
        let records = try [one, two].map(directory.provisional)
        #expect(records[0].uid == records[1].uid)
        _ = try await directory.enrol(records[0], as: try identity(1))
        #expect(await reason { _ = try await directory.enrol(records[1], as: try identity(2)) } == .recordChanged)
        #expect(directory.view().allEnrolled().map(\.account.name.text) == [one])
        #expect(try await directory.signIn(two, as: 2).account.uid.number == shared + 1)
    }

    @Test("P6: raced at once, one number goes to one person")
    func raceAtOnce() async throws {
        let directory = fixture.start()
        let records = try [one, two].map(directory.provisional)
        var enrolled = 0
        await withTaskGroup(of: Bool.self) { group in
            for (number, record) in records.enumerated() {
                group.addTask { (try? await directory.enrol(record, as: try identity(number))) != nil }
            }
            for await isIn in group where isIn { enrolled += 1 }
        }
        #expect(enrolled == 1)
        #expect(directory.view().allEnrolled().map(\.account.uid.number) == [shared])
    }

    @Test("P5: a number is never given again after its account was retired, renamed or given to another object")
    func neverAgain() async throws {
        let changes: [@Sendable (AccountDirectory) async throws -> Void] = [
            { _ = try await $0.retire(try name("n7012@contoso.com")) },
            { _ = try await $0.rename(try name("n7012@contoso.com"), to: try name("new@contoso.com")) },
            { _ = try await $0.rebind(try name("n7012@contoso.com"), to: try identity(5).objectID) },
        ]
        for change in changes {
            let fixture = Fixture()
            var directory: AccountDirectory? = fixture.start()
            let first = try await directory?.signIn(one, as: 1)
            #expect(first?.account.uid.number == shared)
            if let directory { try await change(directory) }
            #expect(try directory?.provisional(two).uid.number == shared + 1)
            directory = nil
            let again = fixture.start()
            #expect(try await again.signIn(two, as: 2).account.uid.number == shared + 1)
            #expect(again.view().enrolled(uid: shared)?.account.home == first?.account.home)
        }
    }

    @Test("P7: a number that a local user or group has is passed over, and stays theirs when they are gone")
    func localNumbers() async throws {
        let directory = fixture.start()
        fixture.write("svc:x:\(shared):100::/:/bin/false\n", to: "passwd")
        fixture.write("svc:x:\(shared + 1):\n", to: "group")
        let enrolled = try await directory.signIn(one, as: 1)
        #expect(enrolled.account.uid.number == shared + 2)
        fixture.write("", to: "passwd")
        fixture.write("", to: "group")
        #expect(try await directory.signIn(one, as: 1) == enrolled)
        #expect(try directory.provisional(two).uid.number == shared)
    }
}
