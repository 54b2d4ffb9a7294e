// SPDX-License-Identifier: Apache-2.0

/// sshd's patterns: `*` stands for any text, `?` for one character (ssh_config(5), PATTERNS).
package enum SSHDPattern {
    package static func matches(_ text: String, _ pattern: Substring) -> Bool {
        var text = Array(text.utf8)[...]
        var pattern = Array(pattern.utf8)[...]
        // The pattern after the last star, and the text that the star has not matched yet.
        var retry: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
        while let byte = text.first {
            switch pattern.first {
            case UInt8(ascii: "*"):
                pattern = pattern.dropFirst()
                retry = (pattern, text)
            case UInt8(ascii: "?"), byte:
                pattern = pattern.dropFirst()
                text = text.dropFirst()
            default:
                guard let last = retry else { return false }
                pattern = last.pattern
                text = last.text.dropFirst()
                retry = (pattern, text)
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
