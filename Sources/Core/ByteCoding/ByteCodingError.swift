// SPDX-License-Identifier: Apache-2.0

/// Why bytes could not be read.
package enum ByteCodingError: Error, Hashable, Sendable {
    /// Fewer bytes are left than the field needs.
    case truncated
    /// Bytes are left over where the value must end.
    case trailingBytes
    /// A length is above the field's named limit.
    case tooLong
    /// The bytes are not what the encoding allows (UTF-8, base64, hexadecimal, minimal integers).
    case malformed
}
