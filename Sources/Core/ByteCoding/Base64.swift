// SPDX-License-Identifier: Apache-2.0

/// Base64 with one encoding of each value (RFC 4648, 3.5): blanks, line ends, missing or surplus padding and stray
/// trailing bits are refused.
package enum Base64 {
    package enum Alphabet: Sendable {
        /// RFC 4648, 4: `+`, `/`, padding required. SSH keys, X.509.
        case standard
        /// RFC 4648, 5: `-`, `_`, padding refused (RFC 7515, 2). JSON Web Keys and tokens.
        case url
    }

    package static func encode(_ bytes: some Collection<UInt8>, _ alphabet: Alphabet = .standard) -> String {
        let digits = alphabet == .standard ? standardDigits : urlDigits
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        var held = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                text.append(digits[Int(bits >> UInt32(held) & 0x3f)])
            }
            bits &= 0xff
        }
        if held > 0 { text.append(digits[Int(bits << UInt32(6 - held) & 0x3f)]) }
        if alphabet == .standard {
            while text.count % 4 != 0 { text.append(padding) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `malformed` for anything but that one encoding.
    package static func decode(
        _ text: some StringProtocol,
        _ alphabet: Alphabet = .standard
    ) throws(ByteCodingError) -> [UInt8] {
        var digits = Array(text.utf8)
        if alphabet == .standard {
            guard digits.count % 4 == 0 else { throw .malformed }
            for _ in 0..<2 where digits.last == padding { digits.removeLast() }
        }
        guard digits.count % 4 != 1 else { throw .malformed }
        let values = alphabet == .standard ? standardValues : urlValues
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count * 3 / 4)
        var bits: UInt32 = 0
        var held = 0
        for digit in digits {
            let value = values[Int(digit)]
            guard value != notADigit else { throw .malformed }
            bits = bits << 6 | UInt32(value)
            held += 6
            guard held >= 8 else { continue }
            held -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            bits &= 0xff
        }
        // The unused bits of the last digit must be zero, or the value would have a second encoding.
        guard bits & (1 << UInt32(held) - 1) == 0 else { throw .malformed }
        return bytes
    }

    private static let padding = UInt8(ascii: "=")
    private static let notADigit: UInt8 = 0xff
    private static let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let standardDigits = Array("\(common)+/".utf8)
    private static let urlDigits = Array("\(common)-_".utf8)
    private static let standardValues = values(of: standardDigits)
    private static let urlValues = values(of: urlDigits)

    private static func values(of digits: [UInt8]) -> [UInt8] {
        var values = [UInt8](repeating: notADigit, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }
}
