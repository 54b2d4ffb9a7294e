// SPDX-License-Identifier: Apache-2.0

import LinuxSystem
import Testing

@Suite struct RandomnessTests {
    @Test(arguments: [0, 1, 16, 257, 100_000])
    func `exactly as many bytes as asked for`(count: Int) {
        #expect(Randomness.bytes(count).count == count)
    }

    @Test func `two draws differ, and all of a long one is filled`() {
        #expect(Randomness.bytes(16) != Randomness.bytes(16))
        // The chance that one of 256 values is missing from 100,000 bytes is below 10^-167.
        #expect(Set(Randomness.bytes(100_000)).count == 256)
        #expect(Randomness.bytes(100_000).suffix(64).contains { $0 != 0 })
    }
}
