// SPDX-License-Identifier: Apache-2.0

/// Records that were lost before they reached the journal.
package struct LostRecords: Hashable, Sendable {
    package let count: Int
    /// Since the first of them was lost.
    package let elapsed: Duration
}

/// Records that wait for an output, oldest first, bounded; and the count of those for which there was no room. Times
/// are since boot. A record that reports the loss takes the place of the lost ones.
struct RecordBacklog: Sendable {
    struct Waiting: Sendable {
        let record: LogRecord
        let since: Duration
        /// The loss that this record reports, if it reports one.
        var told: LostRecords?
    }

    /// More than a minute of a busy machine's decisions, in less than 2 MiB.
    static let longest = 1024
    static let bytes = 1 << 20

    private let describe: @Sendable (LostRecords) -> LogRecord
    private var waiting: [Waiting] = []
    private var size = 0
    /// Lost records that no record has reported yet.
    private var untold = 0
    private var lostSince: Duration = .zero
    private(set) var lost = 0

    init(describe: @escaping @Sendable (LostRecords) -> LogRecord) { self.describe = describe }

    var count: Int { waiting.count }
    var first: Waiting? { waiting.first }
    /// No record waits, and no loss is unreported.
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
            // The records whose loss it reported are counted in `lost` already.
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

    /// Appends a record of the loss, which may exceed the bound by one.
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
