// SPDX-License-Identifier: Apache-2.0

/// How long to wait before the next attempt. Pure functions: the caller supplies the jitter.
package struct RetryPolicy: Hashable, Sendable {
    /// The longest first wait; each further one is twice as long, up to `longest`.
    package var first: Duration
    package var longest: Duration
    /// Attempts in all, the first one included.
    package var attempts: Int

    package init(first: Duration, longest: Duration, attempts: Int) {
        self.first = first
        self.longest = longest
        self.attempts = attempts
    }

    /// For the role services: a user waits.
    package static var interactive: RetryPolicy {
        RetryPolicy(first: .milliseconds(400), longest: .seconds(4), attempts: 6)
    }

    /// For the metadata services, which may need 70 s to come back (azure.md, "Instance metadata").
    package static var metadata: RetryPolicy {
        RetryPolicy(first: .milliseconds(200), longest: .seconds(8), attempts: 16)
    }

    /// The wait after attempt `number` (from 1); nil: give up. `jitter` is 0 up to 1: waits spread over the upper half
    /// of their length, and up to a fifth beyond `retryAfter`, so that a fleet does not return all at once.
    package func wait(afterAttempt number: Int, retryAfter: Duration?, jitter: Double) -> Duration? {
        guard number < attempts else { return nil }
        let jitter = min(max(jitter, 0), 1)
        let own = min(first * (1 << min(number - 1, 20)), longest) * (0.5 + jitter / 2)
        guard let retryAfter else { return own }
        return max(own, retryAfter * (1 + jitter / 5))
    }

    /// `Retry-After` in seconds (RFC 9110, 10.2.3), at most an hour; nil for the form with a date, which needs a clock
    /// that agrees with the server's.
    package static func retryAfter(_ header: String?) -> Duration? {
        guard let header, !header.isEmpty, header.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return .seconds(min(Int64(header) ?? 3600, 3600))
    }
}
