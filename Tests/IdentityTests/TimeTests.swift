// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@Suite struct TimeTests {
    @Test func `adding stops at the ends of time`() {
        #expect(UnixTime(seconds: 5).adding(seconds: -10) == UnixTime(seconds: -5))
        #expect(UnixTime(seconds: .max).adding(seconds: 1) == UnixTime(seconds: .max))
        #expect(UnixTime(seconds: .min).adding(seconds: -1) == UnixTime(seconds: .min))
    }

    @Test func `a later boot time is a positive distance away`() {
        let start = BootTime(sinceBoot: .seconds(10))
        #expect(start.duration(to: start.advanced(by: .milliseconds(1500))) == .milliseconds(1500))
        #expect(start < start.advanced(by: .nanoseconds(1)))
    }
}
