// SPDX-License-Identifier: Apache-2.0

package import Authorization
internal import Identity
internal import Synchronization

/// Counts decisions on their way to the log: those of the last hour, and all since the start.
package final class DecisionTally: RecordLog {
    private struct Kind: Hashable {
        let event: RecordedEvent
        let verdict: DecisionRecord.Verdict
        let reason: DenialReason?
    }

    private let next: any RecordLog
    private let time: any TimeSource
    /// By minute since boot; each holds at most one count for each event, verdict and reason.
    private let minutes = Mutex<[Int64: [Kind: Int]]>([:])
    private let total = Mutex<[Kind: Int]>([:])

    package init(to next: any RecordLog, time: any TimeSource) {
        self.next = next
        self.time = time
    }

    package func record(_ record: DecisionRecord) {
        if let verdict = record.verdict {
            let kind = Kind(event: record.event, verdict: verdict, reason: record.reason)
            let minute = currentMinute
            minutes.withLock { minutes in
                if minutes[minute] == nil { minutes = minutes.filter { $0.key > minute - 60 } }
                minutes[minute, default: [:]][kind, default: 0] += 1
            }
            total.withLock { $0[kind, default: 0] += 1 }
        }
        next.record(record)
    }

    /// The counts of the last 60 minutes, in a fixed order.
    package func lastHour() -> [AccessStatus.Tally] {
        let oldest = currentMinute - 60
        let sums = minutes.withLock { minutes in
            minutes.filter { $0.key > oldest }.values.reduce(into: [Kind: Int]()) { sums, minute in
                sums.merge(minute, uniquingKeysWith: +)
            }
        }
        return DecisionTally.tallies(sums)
    }

    /// The counts since the start, in the same order.
    package func sinceStart() -> [AccessStatus.Tally] { DecisionTally.tallies(total.withLock { $0 }) }

    private static func tallies(_ counts: [Kind: Int]) -> [AccessStatus.Tally] {
        counts.map { kind, count in
            AccessStatus.Tally(
                event: kind.event.rawValue,
                verdict: kind.verdict.rawValue,
                reason: kind.reason?.rawValue,
                count: count
            )
        }.sorted { ($0.event, $0.verdict, $0.reason ?? "") < ($1.event, $1.verdict, $1.reason ?? "") }
    }

    private var currentMinute: Int64 { time.bootTime().sinceBoot.components.seconds / 60 }
}
