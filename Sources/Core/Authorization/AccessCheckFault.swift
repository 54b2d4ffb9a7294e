// SPDX-License-Identifier: Apache-2.0

/// Why there is no answer. It is never a "no" and never becomes a "yes". The code that meets the fault makes it; only
/// the edge words it. Nothing parses those words again, because they may hold text from outside.
package struct AccessCheckFault: Error, Hashable, Sendable {
    package let reason: DenialReason
    /// The endpoint that gave no answer: `pas`, `imds`, a host; empty where none was asked.
    package let endpoint: String
    /// What happened, quoted and bounded.
    package let facts: String
    /// The cause in the network, where the transport knows it.
    package let cause: NetworkCause?
    /// The remedy, where the code that met the fault knows one.
    package let remedy: FaultRemedy?
    /// How long Azure asked this machine to wait (Retry-After).
    package var retryAfter: Duration?
    /// The faults of other endpoints, which left only this one to give the answer.
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

    /// For the record: particulars and remedy, then the same of the faults that were set aside.
    package var detail: String {
        let words = [particulars, remedy?.text ?? ""] + setAside.map(\.detail)
        return words.filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// This fault and those that were set aside.
    package var all: [AccessCheckFault] { [self] + setAside.flatMap(\.all) }

    /// The most telling cause among all the faults: any other than `closed`, which says least.
    package var tellingCause: NetworkCause? {
        let causes = all.compactMap(\.cause)
        return causes.first { $0 != .closed } ?? causes.first
    }
}
