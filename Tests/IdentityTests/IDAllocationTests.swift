// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

private let first = PosixID.userRange.lowerBound
private let last = PosixID.userRange.upperBound

private func digest(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - $0 * 8)) } + [UInt8](repeating: 0xee, count: 24)
}

@Suite struct IDAllocationTests {
    @Test func `the first eight bytes of the digest point to the number`() throws {
        #expect(try IDAllocation.number(for: digest(0)) { _ in false }.number == first)
        #expect(try IDAllocation.number(for: digest(5)) { _ in false }.number == first + 5)
        let count = UInt64(last - first) + 1
        #expect(try IDAllocation.number(for: digest(count + 7)) { _ in false }.number == first + 7)
        #expect(try IDAllocation.number(for: digest(.max)) { _ in false }.number >= first)
    }

    @Test("P5: numbers that are taken are passed over, round the end of the range")
    func probing() throws {
        let taken: Set<UInt32> = [last - 1, last, first]
        let number = try IDAllocation.number(for: digest(UInt64(last - first) - 1)) { taken.contains($0) }
        #expect(number.number == first + 1)
    }

    @Test("P5: where no number is free it is refused, after a bounded search")
    func exhaustion() {
        var asked = 0
        #expect(throws: IDAllocation.Exhausted()) {
            try IDAllocation.number(for: digest(0)) { _ in
                asked += 1
                return true
            }
        }
        #expect(asked == Int(IDAllocation.probeLimit))
        #expect(throws: IDAllocation.Exhausted()) {
            try IDAllocation.number(for: digest(1), in: first...first + 2) { _ in true }
        }
    }

    @Test("P7: a range outside the compiled-in one gives no number")
    func foreignRange() {
        #expect(throws: IDAllocation.Exhausted()) {
            try IDAllocation.number(for: digest(0), in: 0...999) { _ in false }
        }
    }

    @Test func `the seed keeps tenant and name apart`() throws {
        let tenant = try #require(TenantID(tenant))
        let seed = IDAllocation.seed(tenant: tenant, name: try name("alice@contoso.com"))
        #expect(seed == Array("9b1c3d5e-0000-4000-8000-000000000001\0alice@contoso.com".utf8))
    }
}
