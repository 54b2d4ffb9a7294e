// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LinuxSystem

@Suite struct TimerQueueTests {
    /// Every order of six times, two of them equal.
    private static let orders = permutations([10, 20, 20, 30, 40, 50] as [Int64])

    private static func permutations(_ times: [Int64]) -> [[Int64]] {
        guard times.count > 1 else { return [times] }
        return times.indices.flatMap { index in
            var rest = times
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }

    @Test func `whatever the order of arrival, who is due first comes first, and equals in order of arrival`() {
        for order in TimerQueueTests.orders {
            var queue = TimerQueue<(time: Int64, id: Int)>()
            for (id, time) in order.enumerated() {
                let isEarliest = time < (queue.earliest ?? .max)
                let hasMoved = queue.add((time, id), id: UInt64(id), at: time)
                #expect(hasMoved == isEarliest)
            }
            var popped: [(time: Int64, id: Int)] = []
            while let next = queue.popDue(at: 100) { popped.append(next) }
            let expected = order.enumerated().map { ($0.element, $0.offset) }.sorted { $0 < $1 }
            #expect(popped.map(\.time) == expected.map(\.0))
            #expect(popped.map(\.id) == expected.map(\.1))
            #expect(queue.count == 0)
        }
    }

    @Test func `nobody is due before the time`() {
        var queue = TimerQueue<String>()
        _ = queue.add("late", id: 1, at: 20)
        let popped = [queue.popDue(at: 19), queue.popDue(at: 20), queue.popDue(at: 20)]
        #expect(popped == [nil, "late", nil])
        #expect(queue.earliest == nil)
    }

    @Test func `who was taken out does not come again`() {
        var queue = TimerQueue<String>()
        _ = queue.add("first", id: 1, at: 10)
        _ = queue.add("second", id: 2, at: 20)
        let removed = [queue.remove(id: 1), queue.remove(id: 1)]
        #expect(removed == ["first", nil])
        let popped = [queue.popDue(at: 100), queue.popDue(at: 100)]
        #expect(popped == ["second", nil])
    }

    @Test func `P13: sleepers who left do not fill the memory, and those who stay keep their order`() {
        var queue = TimerQueue<Int>()
        for id in 0..<10_000 { _ = queue.add(id, id: UInt64(id), at: Int64(1_000_000 - id)) }
        for id in 0..<10_000 where id % 100 != 0 { _ = queue.remove(id: UInt64(id)) }
        #expect(queue.count == 100)
        #expect(queue.entries <= 2 * 100 + 65)
        var popped: [Int] = []
        while let next = queue.popDue(at: .max) { popped.append(next) }
        #expect(popped == (0..<100).reversed().map { $0 * 100 })
    }
}
