// SPDX-License-Identifier: Apache-2.0

/// Wall-clock time: whole seconds since 1970 (CLOCK_REALTIME). For certificates, tokens and records; it can jump.
package struct UnixTime: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var seconds: Int64

    package init(seconds: Int64) { self.seconds = seconds }

    package func adding(seconds more: Int64) -> UnixTime {
        let (sum, overflow) = seconds.addingReportingOverflow(more)
        return UnixTime(seconds: overflow ? (more > 0 ? .max : .min) : sum)
    }

    package var description: String { "@\(seconds)" }

    package static func < (left: UnixTime, right: UnixTime) -> Bool { left.seconds < right.seconds }
}

/// Time since boot, suspend included (CLOCK_BOOTTIME). For every deadline and every age: it never jumps.
package struct BootTime: Hashable, Sendable, Comparable {
    package var sinceBoot: Duration

    package init(sinceBoot: Duration) { self.sinceBoot = sinceBoot }

    package func advanced(by duration: Duration) -> BootTime { BootTime(sinceBoot: sinceBoot + duration) }

    package func duration(to later: BootTime) -> Duration { later.sinceBoot - sinceBoot }

    package static func < (left: BootTime, right: BootTime) -> Bool { left.sinceBoot < right.sinceBoot }
}
