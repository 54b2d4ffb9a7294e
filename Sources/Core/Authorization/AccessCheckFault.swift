// SPDX-License-Identifier: Apache-2.0

/// Why there is no answer. It is never a "no" and never becomes a "yes". It is made where it is met, and worded at the edge:
/// nothing is read out of its words again, for text from outside may stand in them.
package struct AccessCheckFault: Error, Hashable, Sendable {
    package let reason: DenialReason
    /// Who gave no answer: `pas`, `imds`, a host; empty where nobody was asked.
    package let endpoint: String
    /// What was met, quoted and bounded.
    package let facts: String
    /// What stands between this machine and the endpoint, where the transport knows it.
    package let cause: NetworkCause?
    /// What the place that met it knows to do about it.
    package let remedy: FaultRemedy?
    /// When Azure asked to be left alone until (Retry-After).
    package var retryAfter: Duration?
    /// The faults of other endpoints, because of which everything hung on this one.
    package let setAside: [AccessCheckFault]

    package init(
        _ reason: DenialReason,
        of endpoint: String = "",
        detail facts: String,
        cause: NetworkCause? = nil,
        remedy: FaultRemedy? = nil,
        retryAfter: Duration? = nil,
        setAside: [AccessCheckFault] = []
    ) {
        self.reason = reason
        self.endpoint = endpoint
        self.facts = facts
        self.cause = cause
        self.remedy = remedy
        self.retryAfter = retryAfter
        self.setAside = setAside
    }

    /// The endpoint and what was met there.
    package var particulars: String {
        [endpoint, facts].filter { !$0.isEmpty }.joined(separator: ": ")
    }

    /// All of it, for the record: particulars and remedy, and the same of the faults that were set aside.
    package var detail: String {
        let words = [particulars, remedy?.text ?? ""] + setAside.map(\.detail)
        return words.filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// This one, and those that were set aside.
    package var all: [AccessCheckFault] { [self] + setAside.flatMap(\.all) }

    /// The cause of one of them; a closed way tells least.
    package var tellingCause: NetworkCause? {
        let causes = all.compactMap(\.cause)
        return causes.first { $0 != .closed } ?? causes.first
    }
}
