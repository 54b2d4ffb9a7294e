// SPDX-License-Identifier: Apache-2.0

/// Text from outside for a record or a person (P12): printable ASCII on one line, at most `limit` scalars. Everything
/// else, and `replaced`, becomes a question mark; where something was cut off, three dots follow.
package func plainText(
    _ text: some StringProtocol,
    limit: Int,
    replacing replaced: Unicode.Scalar? = nil
) -> String {
    let scalars = text.unicodeScalars
    let kept = scalars.prefix(limit).map { scalar -> Unicode.Scalar in
        (0x20..<0x7f).contains(scalar.value) && scalar != replaced ? scalar : "?"
    }
    return String(String.UnicodeScalarView(kept)) + (scalars.dropFirst(limit).isEmpty ? "" : "...")
}

extension Unicode.Scalar {
    /// True for a character that ends a line, is invisible, or changes how its neighbours look: controls, direction
    /// marks, line ends, and characters without a meaning of their own.
    package var isUnprintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
        default: false
        }
    }
}
