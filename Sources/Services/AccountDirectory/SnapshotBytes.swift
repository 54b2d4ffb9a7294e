// SPDX-License-Identifier: Apache-2.0

internal import CSnapshot

/// The hash and checksum of the published files, as entralogin_snapshot.h defines it.
package enum SnapshotHash {
    package static func of(_ bytes: RawSpan, seed: UInt32) -> UInt32 {
        var hash = Mixing(seed: seed, size: bytes.byteCount)
        let whole = bytes.byteCount & ~7
        for offset in stride(from: 0, to: whole, by: 8) {
            hash.mix(UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        }
        if whole < bytes.byteCount {
            var word: UInt64 = 0
            for offset in whole..<bytes.byteCount {
                word |= UInt64(bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) << ((offset - whole) * 8)
            }
            hash.mix(word)
        }
        return hash.value
    }

    package static func of(_ text: String, seed: UInt32) -> UInt32 { of(text.utf8.span.bytes, seed: seed) }

    package static func of(_ bytes: some Sequence<UInt8>, seed: UInt32) -> UInt32 {
        of(Array(bytes).span.bytes, seed: seed)
    }

    /// The hash of the number's four bytes, little-endian.
    static func of(_ number: UInt32, seed: UInt32) -> UInt32 {
        var hash = Mixing(seed: seed, size: 4)
        hash.mix(UInt64(number))
        return hash.value
    }

    private struct Mixing {
        private var state: UInt64

        init(seed: UInt32, size: Int) {
            state = (UInt64(seed) << 32 | UInt64(UInt32(truncatingIfNeeded: size))) &* ENTRALOGIN_HASH_FACTOR
        }

        mutating func mix(_ word: UInt64) {
            state = ((state << 5 | state >> 59) ^ word) &* ENTRALOGIN_HASH_FACTOR
        }

        var value: UInt32 {
            let mixed = (state ^ state >> 32) &* ENTRALOGIN_HASH_FACTOR
            return max(1, UInt32(truncatingIfNeeded: mixed ^ mixed >> 32))
        }
    }
}

// Functions, not methods of the span: Swift 6.2 allows no mutating method on a non-escapable value.

/// Overwrites bytes of the file with the number, little-endian.
func overwrite<Number: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ number: Number,
    at offset: Int,
    of file: inout MutableSpan<UInt8>
) {
    var raw = file.mutableBytes
    raw.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
}

/// Overwrites bytes of the file with the text and a terminating zero. Returns the offset after it.
func overwrite(_ text: String, at offset: Int, of file: inout MutableSpan<UInt8>) -> Int {
    let text = text.utf8.span.bytes
    var raw = file.mutableBytes
    // Eight bytes at a time, within both buffers: a byte at a time takes four times as long.
    let whole = text.byteCount & ~7
    for index in stride(from: 0, to: whole, by: 8) {
        let word = text.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
        raw.storeBytes(of: word, toByteOffset: offset + index, as: UInt64.self)
    }
    for index in whole..<text.byteCount {
        let byte = text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        raw.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
    }
    raw.storeBytes(of: 0, toByteOffset: offset + text.byteCount, as: UInt8.self)
    return offset + text.byteCount + 1
}

extension [UInt8] {
    /// Overwrites bytes with the number, little-endian.
    mutating func put(_ number: some FixedWidthInteger & UnsignedInteger & BitwiseCopyable, at offset: Int) {
        var span = mutableSpan
        overwrite(number, at: offset, of: &span)
    }

    /// The number at `offset`, little-endian; the caller has checked the bounds.
    func number<Number: FixedWidthInteger & UnsignedInteger>(at offset: Int) -> Number {
        (0..<Number.bitWidth / 8).reduce(0) { $0 | Number(self[offset + $1]) << ($1 * 8) }
    }
}

extension Int {
    var aligned: Int { (self + 7) & ~7 }

    var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
