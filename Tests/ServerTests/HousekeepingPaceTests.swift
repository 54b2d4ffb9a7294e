// SPDX-License-Identifier: Apache-2.0

import Server
import Testing

@Suite struct HousekeepingPaceTests {
    /// Calls `pace` as the daemon's watchdog timer does, from `start` on for `length`; returns when rounds were due.
    private func rounds(
        _ pace: inout HousekeepingPace,
        from start: Duration,
        for length: Duration,
        requests: UInt64 = 0
    ) -> [Duration] {
        var due: [Duration] = []
        var now = start
        while now < start + length {
            if pace.isDue(at: now, requests: requests, hasNews: false) { due.append(now) }
            now += pace.pause(at: now, slowest: .seconds(30))
        }
        return due
    }

    @Test("After the start, and while the daemon is asked, housekeeping is every ten seconds; idle, every ten minutes")
    func paces() {
        var pace = HousekeepingPace(at: .zero)
        #expect(rounds(&pace, from: .zero, for: .seconds(120)).count == 12)
        let idle = rounds(&pace, from: .seconds(120), for: .seconds(3600))
        #expect(idle.count <= 7, "\(idle)")
        let asked = rounds(&pace, from: .seconds(3720), for: .seconds(100), requests: 1)
        #expect(asked.count == 10)
    }

    @Test("News are looked at with the next beat, and the pace is a busy one for a while")
    func news() {
        var pace = HousekeepingPace(at: .zero)
        _ = rounds(&pace, from: .zero, for: .seconds(500))
        let early = pace.isDue(at: .seconds(530), requests: 0, hasNews: false)
        #expect(!early)
        #expect(pace.pause(at: .seconds(530), slowest: .seconds(30)) == .seconds(30))
        let withNews = pace.isDue(at: .seconds(560), requests: 0, hasNews: true)
        #expect(withNews)
        #expect(pace.pause(at: .seconds(560), slowest: .seconds(30)) == .seconds(10))
        let afterNews = pace.isDue(at: .seconds(570), requests: 0, hasNews: false)
        #expect(afterNews)
    }

    @Test("A beat is never slower than the watchdog allows")
    func watchdog() {
        let pace = HousekeepingPace(at: .zero)
        #expect(pace.pause(at: .zero, slowest: .seconds(2)) == .seconds(2))
        #expect(pace.pause(at: .seconds(1000), slowest: .seconds(2)) == .seconds(2))
    }
}
