// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// The clocks of the machine.
package enum SystemClock {
    /// CLOCK_REALTIME in whole seconds since 1970. It can jump.
    package static func wallSeconds() -> Int64 { clinux_realtime() }

    /// CLOCK_BOOTTIME: the time since boot, suspend included. It never jumps.
    package static func sinceBoot() -> Duration { .nanoseconds(clinux_boottime()) }

    /// The id that the kernel drew at this boot (proc(5), /proc/sys/kernel/random/boot_id): a GUID in lower case.
    ///
    /// A time since boot has a meaning only together with this id.
    package static func bootID() throws(Errno) -> String {
        let text = try ProcFile.read("/proc/sys/kernel/random/boot_id")
        return String(text.prefix { !$0.isNewline })
    }
}

extension Duration {
    /// Whole nanoseconds, rounded down, within what 64 bits hold.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (high, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = high.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || carry ? (seconds < 0 ? .min : .max) : sum
    }
}
