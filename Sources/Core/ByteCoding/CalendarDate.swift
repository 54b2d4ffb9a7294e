// SPDX-License-Identifier: Apache-2.0

/// Dates as text, from seconds since 1970.
package enum CalendarDate {
    /// `2026-08-20 14:05:09 UTC`; the number itself before 1970 and after 9999. The proleptic Gregorian calendar (days
    /// from civil, in the other direction).
    package static func utc(_ seconds: Int64) -> String {
        guard seconds >= 0, seconds < 253_402_300_800 else { return "\(seconds)" }
        let time = seconds % 86_400
        // Days since 0000-03-01: a year then ends with its leap day.
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let clock = "\(padded(time / 3600)):\(padded(time % 3600 / 60)):\(padded(time % 60))"
        return "\(year)-\(padded(month))-\(padded(day)) \(clock) UTC"
    }

    private static func padded(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
