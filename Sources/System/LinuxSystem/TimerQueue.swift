// SPDX-License-Identifier: Apache-2.0

/// The sleepers: a binary heap by time, then by order of arrival. A value; `EventLoop` guards it with a lock.
struct TimerQueue<Sleeper> {
    private struct Entry {
        /// Nanoseconds since boot.
        let time: Int64
        let id: UInt64
    }

    private var heap: [Entry] = []
    private var sleepers: [UInt64: Sleeper] = [:]

    /// How many sleep.
    var count: Int { sleepers.count }

    /// The entries of the heap, those of removed sleepers included.
    var entries: Int { heap.count }

    /// The earliest time in the heap; nil where it is empty.
    var earliest: Int64? { heap.first?.time }

    /// Adds a sleeper; `id` must be larger than all before it. True where `earliest` moved.
    mutating func add(_ sleeper: Sleeper, id: UInt64, at time: Int64) -> Bool {
        let before = earliest
        sleepers[id] = sleeper
        heap.append(Entry(time: time, id: id))
        rise(from: heap.count - 1)
        return earliest != before
    }

    /// Removes a sleeper before its time; nil when it has gone already.
    mutating func remove(id: UInt64) -> Sleeper? {
        guard let sleeper = sleepers.removeValue(forKey: id) else { return nil }
        // Entries of removed sleepers stay until their time. If they become many, the heap is rebuilt, so that its
        // memory is bounded by the number of sleepers.
        if heap.count > 2 * sleepers.count + 64 { rebuild() }
        return sleeper
    }

    /// Removes one sleeper whose time has come, the earliest first; nil when there is none.
    mutating func popDue(at now: Int64) -> Sleeper? {
        while let first = heap.first, first.time <= now {
            dropFirst()
            if let sleeper = sleepers.removeValue(forKey: first.id) { return sleeper }
        }
        return nil
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].id) < (heap[right].time, heap[right].id)
    }

    private mutating func rise(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard isEarlier(child, parent) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func sink(from start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isEarlier(child, least) {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    private mutating func dropFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink(from: 0)
    }

    private mutating func rebuild() {
        // An array sorted by time and arrival is a heap already.
        heap = heap.filter { sleepers[$0.id] != nil }.sorted { ($0.time, $0.id) < ($1.time, $1.id) }
    }
}
