// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Authorization
import Identity
import Testing

/// Uids that another name service already has, and where the next uid is drawn.
@Suite struct NumberHolderTests {
    let fixture = Fixture()
    private let one = "n7012@contoso.com"
    private let number: UInt32 = 1_976_506_381

    @Test("P5: a number that another directory has is never given: refused once, then a number in no block of theirs")
    func taken() async throws {
        #expect(try await takenOnce() == fixture.start().signIn(one, as: 1).account.uid.number, "for ever")
    }

    private func takenOnce() async throws -> UInt32 {
        let directory = fixture.start()
        #expect(try directory.provisional(one).uid.number == number)
        fixture.neighbours.say(.somebody("theirs"), of: number)
        #expect(await reason { try await directory.signIn(one, as: 1) } == .numberTaken)
        #expect(directory.view().allEnrolled().isEmpty)
        let next = try directory.provisional(one).uid.number
        #expect(next / IDAllocation.othersBlock != number / IDAllocation.othersBlock)
        #expect(try directory.provisional(one).uid.number == next, "P6: the same at each look-up")
        #expect(try await directory.signIn(one, as: 1).account.uid.number == next)
        #expect(fixture.neighbours.asked == [number, next])
        #expect(try await directory.signIn(one, as: 1).account.uid.number == next)
        #expect(fixture.neighbours.asked == [number, next], "once for each account")
        return next
    }

    @Test("P5: whatever the second number is, it is asked about, too")
    func takenTwice() async throws {
        let directory = fixture.start()
        var seen: Set<UInt32> = []
        for _ in 0..<5 {
            let number = try directory.provisional(one).uid.number
            #expect(seen.insert(number / IDAllocation.othersBlock).inserted)
            fixture.neighbours.say(.somebody("theirs"), of: number)
            #expect(await reason { try await directory.signIn(one, as: 1) } == .numberTaken)
        }
        _ = try await directory.signIn(one, as: 1)
    }

    @Test("P6: the account's own record, which a cache of the name service kept, keeps nobody out")
    func ownRecord() async throws {
        let directory = fixture.start()
        fixture.neighbours.say(.somebody(one), of: number)
        #expect(try await directory.signIn(one, as: 1).account.uid.number == number)
    }

    @Test("P8: a directory that does not say whose a number is: refused, nothing is enrolled or remembered")
    func unknown() async throws {
        let directory = fixture.start()
        fixture.neighbours.say(.unknown("did not end in time"), of: number)
        #expect(await reason { try await directory.signIn(one, as: 1) } == .enrolmentFailed)
        #expect(directory.view().allEnrolled().isEmpty)
        fixture.neighbours.say(nil, of: number)
        #expect(try await directory.signIn(one, as: 1).account.uid.number == number)
    }

    @Test("P3: a look-up asks nobody; P14: neither does the sign-in of an enrolled account")
    func lookUps() async throws {
        let directory = fixture.start()
        for number in 0..<100 { _ = try directory.provisional("x\(number)@contoso.com") }
        #expect(fixture.neighbours.asked.isEmpty)
        try await directory.signIn(one, as: 1)
        fixture.neighbours.say(.unknown("hangs"), of: number)
        try await directory.signIn(one, as: 1)
        #expect(fixture.neighbours.asked == [number])
    }

    @Test("IDRange= says where new numbers are drawn; an enrolled account keeps its own; a range of theirs has none")
    func range() async throws {
        func before() async throws { try await fixture.start().signIn(one, as: 1) }
        try await before()
        let numbers: ClosedRange<UInt32> = 2_000_200_000...2_000_299_999
        let directory = fixture.start(policy: AccountPolicy(numbers: numbers))
        #expect(try await directory.signIn(one, as: 1).account.uid.number == number)
        for person in 0..<50 {
            let account = try directory.provisional("x\(person)@contoso.com")
            #expect(numbers.contains(account.uid.number))
            fixture.neighbours.say(.somebody("theirs"), of: account.uid.number)
        }
        #expect(await reason { try await directory.signIn("x1@contoso.com", as: 2) } == .numberTaken)
        #expect(try directory.reason("x1@contoso.com") == .idsExhausted)
    }
}
