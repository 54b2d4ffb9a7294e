// SPDX-License-Identifier: Apache-2.0

import LinuxSystem
import Testing

@Suite struct SystemClockTests {
    @Test func `the time since boot never goes back, and the wall clock is past this program's making`() {
        let first = SystemClock.sinceBoot()
        #expect(first > .zero)
        #expect(SystemClock.sinceBoot() >= first)
        #expect(SystemClock.wallSeconds() > 1_750_000_000)
    }

    @Test func `the boot id is one GUID, the same whenever it is read`() throws {
        let id = try SystemClock.bootID()
        #expect(id.utf8.count == 36)
        #expect(id.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
        #expect(try SystemClock.bootID() == id)
    }

    @Test func `the memory this process holds is known`() {
        let bytes = MemoryUsage.residentBytes() ?? 0
        #expect(bytes > 1 << 20)
        #expect(bytes < 1 << 40)
    }
}
