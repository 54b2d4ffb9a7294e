// SPDX-License-Identifier: Apache-2.0

/// How the tool ends; documented in `--help` and entraloginctl(1).
enum ExitStatus: Int32, Sendable {
    /// Done, and nothing is wrong.
    case success = 0
    /// Refused, not acceptable, or a finding that keeps users out.
    case refused = 1
    case usage = 2
    /// The daemon does not answer, or not in a way that can be understood.
    case unreachable = 3
    /// Only root may ask.
    case notPermitted = 4
    /// `doctor`: no finding keeps users out, but there are warnings.
    case warned = 5
}
