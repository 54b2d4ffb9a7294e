// SPDX-License-Identifier: Apache-2.0

/// The distinguished encoding of X.690, as far as keys and signatures need it.
enum DER {
    /// X.690, 8.1: tag, length in its shortest form, content.
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }

    /// A non-negative number from a magnitude without leading zeros (X.690, 8.3).
    static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        let sign: [UInt8] = (magnitude.first ?? 0) >= 0x80 || magnitude.isEmpty ? [0] : []
        return element(0x02, sign + magnitude)
    }

    static func sequence(_ content: [UInt8]) -> [UInt8] { element(0x30, content) }

    /// Whole bytes (X.690, 8.6).
    static func bitString(_ bytes: [UInt8]) -> [UInt8] { element(0x03, [0] + bytes) }

    /// Takes an identifier that is already encoded.
    static func objectIdentifier(_ encoded: [UInt8]) -> [UInt8] { element(0x06, encoded) }

    static let null: [UInt8] = [0x05, 0x00]
}
