// SPDX-License-Identifier: Apache-2.0

/// Durations as text for users.
package enum Elapsed {
    /// `45 s`, `3 min`, `2 h 5 min`, `4 d 1 h`.
    package static func text(_ seconds: Int64) -> String {
        let seconds = max(0, seconds)
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<86_400: return joined(seconds / 3600, "h", seconds % 3600 / 60, "min")
        default: return joined(seconds / 86_400, "d", seconds % 86_400 / 3600, "h")
        }
    }

    private static func joined(_ large: Int64, _ unit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large) \(unit)" : "\(large) \(unit) \(small) \(smallUnit)"
    }
}
