// SPDX-License-Identifier: Apache-2.0

/// Serial numbers of revoked certificates: single ones, ranges, and bitmaps as they came (PROTOCOL.krl, 2.1 to 2.3).
/// Never zero, which a CA writes if it does not number its certificates.
struct RevokedSerials: Hashable, Sendable {
    /// Bit N, counted from the end of `bits`, stands for the serial `offset` + N.
    private struct Bitmap: Hashable {
        let offset: UInt64
        let bits: [UInt8]

        func contains(_ serial: UInt64) -> Bool {
            guard serial >= offset, let distance = Int(exactly: serial - offset) else { return false }
            let index = bits.count - 1 - distance / 8
            return index >= 0 && bits[index] >> UInt8(distance % 8) & 1 == 1
        }
    }

    /// After `seal`: ascending and disjoint.
    private var ranges: [ClosedRange<UInt64>] = []
    private var bitmaps: [Bitmap] = []

    var count: Int { ranges.count + bitmaps.count }

    /// False, and nothing changes, for a range that holds zero, which OpenSSH takes for a damaged list.
    mutating func insert(_ range: ClosedRange<UInt64>) -> Bool {
        guard range.lowerBound > 0 else { return false }
        ranges.append(range)
        return true
    }

    /// `bits` is big-endian, without leading zeros. False, and nothing changes, if it contains serial zero or one
    /// beyond the largest serial.
    mutating func insert(bitmap bits: [UInt8], from offset: UInt64) -> Bool {
        guard let first = bits.first, let last = bits.last else { return true }
        let highest = UInt64(bits.count * 8 - 1 - first.leadingZeroBitCount)
        guard !offset.addingReportingOverflow(highest).overflow else { return false }
        guard offset > 0 || last & 1 == 0 else { return false }
        bitmaps.append(Bitmap(offset: offset, bits: bits))
        return true
    }

    /// Sorts and merges the ranges; called after the last insertion.
    mutating func seal() {
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var merged: [ClosedRange<UInt64>] = []
        for range in ranges {
            guard let last = merged.last, range.lowerBound <= last.upperBound else {
                merged.append(range)
                continue
            }
            merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        }
        ranges = merged
    }

    func contains(_ serial: UInt64) -> Bool {
        guard serial > 0 else { return false }
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < serial { low = middle + 1 } else { high = middle }
        }
        if low < ranges.count, ranges[low].contains(serial) { return true }
        // ssh-keygen writes few bitmaps: only where one is shorter than a list.
        return bitmaps.contains { $0.contains(serial) }
    }
}
