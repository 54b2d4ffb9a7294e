// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// When a refused sudo last asked Azure about each account: once a minute at most, however often sudo is called (P13).
/// Bounded by the accounts with an open session.
final class SudoQuestions: Sendable {
    /// As long as a no of Azure counts.
    static let interval = DecisionCache.Limits.longestRefusal

    private struct Entry {
        var startedAt: BootTime
        /// Callers that wait for the answer.
        var waiting = 0
    }

    private let limit: Int
    private let entries = Mutex<[PosixID: Entry]>([:])

    init(limit: Int = OpenSessions.limit) { self.limit = limit }

    /// True if the caller may ask, or wait for a question in flight; `end` must follow then. False if a question was
    /// asked within the last minute, or too many accounts ask.
    func begin(_ uid: PosixID, at now: BootTime) -> Bool {
        entries.withLock { entries in
            if let entry = entries[uid] {
                let isOver = entry.startedAt.duration(to: now) >= SudoQuestions.interval
                guard isOver || entry.waiting > 0 else { return false }
                entries[uid] = Entry(startedAt: isOver ? now : entry.startedAt, waiting: entry.waiting + 1)
                return true
            }
            if entries.count >= limit {
                entries = entries.filter {
                    $0.value.waiting > 0 || $0.value.startedAt.duration(to: now) < SudoQuestions.interval
                }
                guard entries.count < limit else { return false }
            }
            entries[uid] = Entry(startedAt: now, waiting: 1)
            return true
        }
    }

    func end(_ uid: PosixID) { entries.withLock { $0[uid]?.waiting -= 1 } }
}
