// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import LinuxSystem
internal import Synchronization

/// Writes records to the journal with their fields or, where there is no journal, a line each to standard error with
/// the level in front (sd-daemon(3)). The caller never waits and never fails (P15): a record that is not taken at once
/// waits for a thread, in order and bounded; one that finds no room is lost, and a later record says how many were.
package final class Journal: Sendable {
    /// Longest value, in bytes: what comes from outside cannot fill the log.
    package static let longestValue = 2048
    /// A record that waited this long says so, because the journal's own time is then not the decision's.
    static let notableDelay: Duration = .seconds(1)

    /// What has not reached the journal.
    package struct Standing: Hashable, Sendable {
        /// Records that wait.
        package let waiting: Int
        /// How long the first of them has waited.
        package let delay: Duration
        /// Records lost since the start.
        package let lost: Int
    }

    private let threshold: LogPriority
    private let output: any RecordOutput
    private let worker: BlockingWorker
    private let backlog: Mutex<RecordBacklog>

    /// Looks once whether there is a journal. Records less urgent than `threshold` are dropped. `loss` makes the record
    /// that reports lost ones. Errors: no descriptor or thread is left.
    package convenience init(
        identifier: String,
        threshold: LogPriority = .information,
        loss: @escaping @Sendable (LostRecords) -> LogRecord
    ) throws(Errno) {
        let output: any RecordOutput =
            access(JournalSocket.path, W_OK) == 0 ? try JournalSocket(identifier: identifier) : StandardError()
        try self.init(output, threshold: threshold, loss: loss)
    }

    init(
        _ output: any RecordOutput,
        threshold: LogPriority = .information,
        loss: @escaping @Sendable (LostRecords) -> LogRecord
    ) throws(Errno) {
        self.threshold = threshold
        self.output = output
        worker = try BlockingWorker(named: "journal")
        backlog = Mutex(RecordBacklog(describe: loss))
    }

    package var standing: Standing {
        let now = SystemClock.sinceBoot()
        return backlog.withLock { backlog in
            Standing(waiting: backlog.count, delay: backlog.first.map { now - $0.since } ?? .zero, lost: backlog.lost)
        }
    }

    /// Hands the record over, or lets it wait for the thread that does.
    package func write(_ record: LogRecord) {
        guard record.priority.rawValue <= threshold.rawValue else { return }
        let startsWaiting = backlog.withLock { backlog in
            // A record never overtakes one that waits.
            if backlog.isClear, output.writeNow(record) { return false }
            let isFirst = backlog.count == 0
            backlog.add(record, now: SystemClock.sinceBoot())
            return isFirst
        }
        if startsWaiting { worker.add { [self] in writeWaiting() } }
    }

    /// The thread's work, until nothing waits.
    private func writeWaiting() {
        while let next = backlog.withLock({ $0.first }) {
            var record = next.record
            let delay = SystemClock.sinceBoot() - next.since
            if delay >= Journal.notableDelay {
                record.fields.append(LogField("ENTRALOGIN_DELAY_USEC", "\(delay.wholeMicroseconds)"))
            }
            let isWritten = output.write(record)
            backlog.withLock { $0.removeFirst(isWritten: isWritten, now: SystemClock.sinceBoot()) }
        }
    }
}

extension Duration {
    /// Rounded down.
    package var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
