// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Integration

struct SSHDPatternTests {
    @Test(
        "A star stands for any text, a question mark for one character, everything else for itself",
        arguments: [
            ("entra_users", "entra_users", true), ("entra_users", "entra*", true), ("entra_users", "*", true),
            ("entra_users", "*_users", true), ("entra_users", "e*a*s", true), ("entra_users", "entra?users", true),
            ("entra_users", "entra_user", false), ("entra_users", "entra_users?", false), ("entra_users", "", false),
            ("entra_users", "e*z", false), ("", "*", true), ("", "", true), ("aab", "*ab", true), ("ab", "**b", true),
        ]
    )
    func matching(text: String, pattern: String, matches: Bool) {
        #expect(SSHDPattern.matches(text, pattern[...]) == matches)
    }
}
