// SPDX-License-Identifier: Apache-2.0

/// An RSA key that signs for Entra: big-endian magnitudes without leading zeros.
package struct SigningKey: Hashable, Sendable {
    package let modulus: [UInt8]
    package let exponent: [UInt8]
}
