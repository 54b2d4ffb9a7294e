// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The time in a `Date` header, in the one form that servers send: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
package enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970; nil for any other form, and for years outside 1970 to 9999.
    package static func seconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, words[0].count == 4, words[0].last == ",", words[5] == "GMT" else { return nil }
        let clock = words[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let month = months.firstIndex(of: String(words[2])), words[3].utf8.count == 4,
            let day = number(words[1], below: 32), day > 0, let year = Int64(words[3]), year >= 1970,
            let hour = number(clock[0], below: 24), let minute = number(clock[1], below: 60),
            let second = number(clock[2], below: 61)
        else { return nil }
        var time = tm()
        time.tm_year = Int32(year - 1900)
        time.tm_mon = Int32(month)
        time.tm_mday = Int32(day)
        return Int64(timegm(&time)) + hour * 3600 + minute * 60 + second
    }

    /// Exactly two digits.
    private static func number(_ text: Substring, below limit: Int64) -> Int64? {
        guard text.utf8.count == 2, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(text)
        else {
            return nil
        }
        return number < limit ? number : nil
    }
}
