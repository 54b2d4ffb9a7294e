// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct PosixIDTests {
    @Test(
        "P7: root, system ids, entralogin's groups' ids and everything out of the range are no uid",
        arguments: [
            0, 1, 999, 1000, 65_534, 65_535, 524_288, PosixID.usersGroup, PosixID.administratorsGroup,
            PosixID.userRange.lowerBound - 1, PosixID.userRange.upperBound + 1, .max,
        ]
    )
    func refused(number: UInt32) {
        #expect(PosixID(user: number) == nil)
    }

    @Test func `both ends of the range are uids`() {
        #expect(PosixID(user: PosixID.userRange.lowerBound) != nil)
        #expect(PosixID(user: PosixID.userRange.upperBound) != nil)
        #expect(PosixID.userRange == 1_879_049_216...2_147_352_575)
    }
}
