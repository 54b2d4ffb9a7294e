// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Synchronization

/// How far the last SSH sign-in of each name got, for `explain`; most useful for names that have never signed in. In
/// memory only and bounded. sshd asks only about certificates of a trusted CA, so outsiders cannot add entries.
final class LastAttempts: Sendable {
    enum Stage: Hashable, Sendable {
        /// A valid certificate was shown. A client that has its key reaches the next stage a moment later.
        case certificateShown
        /// The key was proved, and Azure gave the role.
        case roleGiven
        case sessionOpened
        case refused(Denial)
    }

    struct Attempt: Hashable, Sendable {
        let stage: Stage
        /// The certificate's identity; nil if it was refused before that was known.
        let identity: DirectoryIdentity?
        let at: BootTime
    }

    /// Number of names; the oldest attempt is dropped first.
    static let limit = 256
    /// Bytes kept of a refusal's text, and of its detail.
    private static let detailLimit = 512

    /// `order` grows with each attempt, to find the oldest one.
    private struct Table {
        var attempts: [UserName: (order: UInt64, attempt: Attempt)] = [:]
        var next: UInt64 = 0
    }

    private let table = Mutex(Table())

    /// `name` as sshd gives it; ignored if it cannot be a name in Entra.
    func note(_ stage: Stage, of name: String, _ identity: DirectoryIdentity?, at now: BootTime) {
        guard let name = UserName(folding: name) else { return }
        let attempt = Attempt(stage: LastAttempts.bounded(stage), identity: identity, at: now)
        table.withLock { table in
            table.attempts[name] = (table.next, attempt)
            table.next += 1
            guard table.attempts.count > LastAttempts.limit,
                let oldest = table.attempts.min(by: { $0.value.order < $1.value.order })?.key
            else { return }
            table.attempts[oldest] = nil
        }
    }

    func last(of name: UserName) -> Attempt? { table.withLock { $0.attempts[name]?.attempt } }

    var count: Int { table.withLock { $0.attempts.count } }

    private static func bounded(_ stage: Stage) -> Stage {
        guard case .refused(let denial) = stage else { return stage }
        let detail = DenialText.shorten(denial.detail, to: detailLimit)
        return .refused(Denial(denial.reason, text: DenialText.shorten(denial.text, to: detailLimit), detail: detail))
    }
}
