// SPDX-License-Identifier: Apache-2.0

package import ByteCoding

extension ByteReader {
    /// A positive `mpint` (RFC 4251, 5) in its only valid encoding: not zero, not negative, no unnecessary leading
    /// byte. Returns the magnitude, big-endian, without the sign byte; `limit` is the magnitude's, in bytes.
    package mutating func readPositiveInteger(limit: Int) throws(ByteCodingError) -> [UInt8] {
        var ahead = self
        var content = try ahead.readString(limit: limit + 1)
        guard let first = content.first, first < 0x80 else { throw .malformed }
        if first == 0 {
            guard content.count > 1, content[1] >= 0x80 else { throw .malformed }
            content.removeFirst()
        }
        guard content.count <= limit else { throw .tooLong }
        self = ahead
        return content
    }
}

extension ByteWriter {
    /// A positive `mpint` from a big-endian magnitude, whose leading zero bytes are dropped. `malformed` for zero.
    package mutating func writePositiveInteger(_ magnitude: some Sequence<UInt8>) throws(ByteCodingError) {
        var content = Array(magnitude.drop { $0 == 0 })
        guard let first = content.first else { throw .malformed }
        if first >= 0x80 { content.insert(0, at: 0) }
        try writeString(content)
    }
}
