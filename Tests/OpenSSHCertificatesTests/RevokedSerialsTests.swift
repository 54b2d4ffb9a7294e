// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import OpenSSHCertificates

struct RevokedSerialsTests {
    @Test("Ranges that overlap, touch or hold each other say the same as their union")
    func union() {
        var serials = RevokedSerials()
        var taken: [Bool] = []
        for range in [50...60, 10...20, 15...30, 30...30, 12...14, 61...61, 7...7] as [ClosedRange<UInt64>] {
            taken.append(serials.insert(range))
        }
        serials.seal()
        #expect(!taken.contains(false))
        let revoked = (0...100).filter { serials.contains($0) }
        #expect(revoked == [7] + Array(10...30) + Array(50...61))
    }

    @Test("A bit counts from the end of its bitmap")
    func bitmap() {
        var serials = RevokedSerials()
        let taken = serials.insert(bitmap: [0b101, 0b1000_0001], from: 1_000)
        #expect(taken)
        #expect((990...1_030).filter { serials.contains($0) } == [1_000, 1_007, 1_008, 1_010])
        #expect(!serials.contains(.max) && !serials.contains(0))
    }

    @Test("The ends of the numbers: zero is never revoked, the last one can be, and nothing wraps")
    func ends() {
        var serials = RevokedSerials()
        let refused = [
            serials.insert(0...5), serials.insert(bitmap: [1], from: 0), serials.insert(bitmap: [2], from: .max),
        ]
        #expect(refused == [false, false, false])
        let taken = [
            serials.insert(bitmap: [2], from: 0), serials.insert(bitmap: [], from: 0),
            serials.insert(bitmap: [1], from: .max), serials.insert(UInt64.max - 9...UInt64.max - 8),
        ]
        #expect(taken == [true, true, true, true])
        serials.seal()
        #expect(!serials.contains(0))
        #expect(serials.contains(1) && serials.contains(.max) && serials.contains(.max - 9))
        #expect(!serials.contains(.max - 1) && !serials.contains(2))
        #expect(serials.count == 3)
    }
}
