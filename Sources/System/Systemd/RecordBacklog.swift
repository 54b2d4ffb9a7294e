// SPDX-License-Identifier: Apache-2.0

/// Records that were not taken and are not known to the journal.
package struct LostRecords: Hashable, Sendable {
    package let count: Int
    /// Since the first of them was lost.
    package let elapsed: Duration
}

/// Records that wait for an output, oldest first, bounded; and the count of those for which there was no room. Times are
/// since boot. A record of the loss stands where the lost ones would.
struct RecordBacklog: Sendable {
    struct Waiting: Sendable {
        let record: LogRecord
        let since: Duration
        /// Of a record that tells of a loss: what it tells of.
        var told: LostRecords?
    }

    /// More than a minute of a busy machine's decisions, in less than 2 MiB.
    static let longest = 1024
    static let bytes = 1 << 20

    private let describe: @Sendable (LostRecords) -> LogRecord
    private var waiting: [Waiting] = []
    private var size = 0
    /// Not yet told by a record.
    private var untold = 0
    private var lostSince: Duration = .zero
    private(set) var lost = 0

    init(describe: @escaping @Sendable (LostRecords) -> LogRecord) { self.describe = describe }

    var count: Int { waiting.count }
    var first: Waiting? { waiting.first }
    /// Nothing waits, and no loss is still to be told.
    var isClear: Bool { waiting.isEmpty && untold == 0 }

    /// Puts a record at the end, or counts it as lost.
    mutating func add(_ record: LogRecord, now: Duration) {
        guard waiting.count < RecordBacklog.longest, size + record.size <= RecordBacklog.bytes else {
            return lose(1, now: now)
        }
        tell(now: now)
        append(Waiting(record: record, since: now))
    }

    /// The first one was written or, where `isWritten` is false, can never be.
    mutating func removeFirst(isWritten: Bool, now: Duration) {
        let first = waiting.removeFirst()
        size -= first.record.size
        if isWritten {
            if waiting.isEmpty { tell(now: now) }
        } else if let told = first.told {
            // The records that it told of are counted already.
            lostSince = first.since - told.elapsed
            untold += told.count
        } else {
            lose(1, now: now)
        }
    }

    private mutating func lose(_ count: Int, now: Duration) {
        if untold == 0 { lostSince = now }
        untold += count
        lost += count
    }

    /// One more than the bound, at most.
    private mutating func tell(now: Duration) {
        guard untold > 0 else { return }
        let told = LostRecords(count: untold, elapsed: now - lostSince)
        untold = 0
        append(Waiting(record: describe(told), since: now, told: told))
    }

    private mutating func append(_ entry: Waiting) {
        waiting.append(entry)
        size += entry.record.size
    }
}
