// SPDX-License-Identifier: Apache-2.0

/// Why there is no answer. It is never a "no" and never becomes a "yes".
package struct AccessCheckFault: Error, Hashable, Sendable {
    package let reason: DenialReason
    /// Particulars for the record, quoted and bounded, with the remedy where one is known.
    package let detail: String
    /// When Azure asked to be left alone until (Retry-After).
    package let retryAfter: Duration?

    package init(_ reason: DenialReason, detail: String, retryAfter: Duration? = nil) {
        self.reason = reason
        self.detail = detail
        self.retryAfter = retryAfter
    }
}
