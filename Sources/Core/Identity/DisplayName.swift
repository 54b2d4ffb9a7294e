// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// The directory's display name, made fit for the GECOS field of passwd(5).
package enum DisplayName {
    /// Bytes of UTF-8.
    package static let limit = 255

    /// Colons and commas (they divide passwd(5) and GECOS), `&` (some readers put the login name there), controls and
    /// line ends of all of Unicode, and marks that turn the direction of text become blanks; runs of blanks become one;
    /// what is over 255 bytes is cut off.
    package static func cleaned(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var pendingBlank = false
        var count = 0
        for scalar in text.unicodeScalars {
            guard !isUnfit(scalar) else {
                pendingBlank = !result.isEmpty
                continue
            }
            let added = UTF8.width(scalar) + (pendingBlank ? 1 : 0)
            guard count + added <= limit else { break }
            if pendingBlank { result.append(" ") }
            result.append(scalar)
            count += added
            pendingBlank = false
        }
        return String(result)
    }

    /// True for text that the field may hold at all: at most 255 bytes, no colon, no control. Looser than `cleaned`,
    /// whose tables of Unicode change with the version of the runtime.
    package static func isAcceptable(_ text: String) -> Bool {
        text.utf8.count <= limit && !text.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: ":") }
    }

    private static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .unassigned: true
        default: scalar.isUnprintable || scalar == ":" || scalar == "," || scalar == "&"
        }
    }
}
