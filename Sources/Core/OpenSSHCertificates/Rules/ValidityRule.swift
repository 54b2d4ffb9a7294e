// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// How far clocks may be apart, and how long a certificate may live.
package struct ValidityLimits: Hashable, Sendable {
    /// Seconds by which a certificate's start may lie in the future.
    package var startSkew: UInt32
    /// Seconds by which its end may lie in the past.
    package var endSkew: UInt32
    /// Seconds from its beginning to its end; Entra's live about 3,900.
    package var maximumLifetime: UInt32

    package init(startSkew: UInt32 = 60, endSkew: UInt32 = 0, maximumLifetime: UInt32 = 86_400) {
        self.startSkew = startSkew
        self.endSkew = endSkew
        self.maximumLifetime = maximumLifetime
    }
}

/// The time is in the half-open interval from `valid after` to `valid before` (PROTOCOL.certkeys), which is short.
package struct ValidityRule: CertificateRule {
    private let now: Int64
    private let limits: ValidityLimits

    /// `now` in seconds since 1970.
    package init(now: Int64, limits: ValidityLimits) {
        self.now = now
        self.limits = limits
    }

    package func check(_ certificate: Certificate) -> RuleResult {
        let start = certificate.validAfter
        let end = certificate.validBefore
        let dates = [Int64(clamping: start), Int64(clamping: end), now].map(CalendarDate.utc)
        let detail = "valid from \(dates[0]) to \(dates[1]), now \(dates[2])"
        guard start < end else { return .refused(.validityEmpty, detail: detail) }
        guard end - start <= UInt64(limits.maximumLifetime) else { return .refused(.lifetimeTooLong, detail: detail) }
        // A clock before 1970 is before every certificate.
        guard let now = UInt64(exactly: now) else { return .refused(.notYetValid, detail: detail) }
        // `now` has 63 bits and a skew 32: their sum fits. An end that overflows is later than any clock.
        guard start <= now + UInt64(limits.startSkew) else { return .refused(.notYetValid, detail: detail) }
        let (lateEnd, overflow) = end.addingReportingOverflow(UInt64(limits.endSkew))
        guard now < (overflow ? .max : lateEnd) else { return .refused(.expired, detail: detail) }
        return .satisfied
    }
}
