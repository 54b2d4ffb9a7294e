// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct GroupNumbersTests {
    private func group(_ number: Int) throws -> GroupNumbers.Group {
        let digits = String(number, radix: 16)
        let text = "9f0a0000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
        return GroupNumbers.Group(
            tenant: try #require(TenantID("11111111-1111-4111-8111-111111111111")),
            objectID: try #require(ObjectID(text))
        )
    }

    @Test("P5: a group keeps its number, and a number goes to no other group, whatever is taken meanwhile")
    func forEver() throws {
        var numbers = GroupNumbers()
        let first = GroupNumbers.range.lowerBound
        #expect(try numbers.bind(group(1)) == first)
        #expect(try numbers.bind(group(2), isTaken: { $0 == first + 1 }) == first + 2)
        #expect(try numbers.bind(group(1), isTaken: { _ in true }) == first)
        #expect(try numbers.bind(group(3)) == first + 3)
        let again = try #require(GroupNumbers(numbers.bindings))
        #expect(again == numbers)
        #expect(try again.gid(of: group(2)) == first + 2)
    }

    @Test("none is left at the end, and a store that gives one twice or another's is none")
    func limits() throws {
        var numbers = GroupNumbers()
        for number in 0..<GroupNumbers.range.count { #expect(try numbers.bind(group(number)) != nil) }
        #expect(try numbers.bind(group(5000)) == nil)
        #expect(try numbers.gid(of: group(5000)) == nil)
        let (first, last) = (GroupNumbers.range.lowerBound, GroupNumbers.range.upperBound)
        #expect(GroupNumbers([(try group(1), first), (try group(2), first)]) == nil)
        #expect(GroupNumbers([(try group(1), first), (try group(1), last)]) == nil)
        for gid in [0, first - 1, last + 1] { #expect(GroupNumbers([(try group(1), gid)]) == nil) }
        #expect(PosixID(user: first) == nil && PosixID(user: last) == nil, "an account may have it")
    }
}
