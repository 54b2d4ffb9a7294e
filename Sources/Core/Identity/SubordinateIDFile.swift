// SPDX-License-Identifier: Apache-2.0

/// The lines of subuid(5) or subgid(5): `owner:first:count`. Any other line stays in the file byte for byte.
package struct SubordinateIDFile: Sendable {
    /// Numbers in a range that entralogin assigns: what useradd(8) assigns, and what container engines expect.
    package static let rangeSize: UInt32 = 65_536

    package struct Line: Hashable, Sendable {
        /// A name or a number.
        package let owner: String
        /// Covers every way in which some reader reads the two numbers.
        package let range: ClosedRange<UInt32>
    }

    /// The lines that at least one reader accepts, in the order of the file.
    package let lines: [Line]
    package let bytes: [UInt8]

    package init(parsing bytes: [UInt8]) {
        self.bytes = bytes
        lines = bytes.split(separator: UInt8(ascii: "\n")).compactMap { SubordinateIDFile.line($0) }
    }

    package func lines(of owner: String) -> [Line] { lines.filter { $0.owner == owner } }

    /// The file with these lines after its own, which do not change.
    package func adding(_ ranges: [(owner: SystemName, first: UInt32)]) -> SubordinateIDFile {
        guard !ranges.isEmpty else { return self }
        var bytes = bytes
        if let last = bytes.last, last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
        for range in ranges {
            bytes += Array("\(range.owner):\(range.first):\(SubordinateIDFile.rangeSize)\n".utf8)
        }
        return SubordinateIDFile(parsing: bytes)
    }

    /// The file in which the lines of these owners have the new ones; everything else is unchanged.
    package func renaming(_ owners: [String: SystemName]) -> SubordinateIDFile {
        guard lines.contains(where: { owners[$0.owner] != nil }) else { return self }
        let parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let renamed = parts.map { part -> [UInt8] in
            guard let owner = SubordinateIDFile.line(part)?.owner, let name = owners[owner] else { return Array(part) }
            return Array(name.text.utf8) + part.drop { $0 != UInt8(ascii: ":") }
        }
        return SubordinateIDFile(parsing: Array(renamed.joined(separator: [UInt8(ascii: "\n")])))
    }

    /// Nil if no reader finds 32-bit ids in it.
    private static func line(_ bytes: ArraySlice<UInt8>) -> Line? {
        let fields = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard fields.count >= 3, !fields[0].isEmpty else { return nil }
        let ranges = readings(fields[1]).flatMap { first in
            readings(fields[2]).filter { $0 > 0 }.compactMap { count -> ClosedRange<UInt32>? in
                guard let low = UInt32(exactly: first) else { return nil }
                let last = first.addingReportingOverflow(count - 1)
                return low...(last.overflow ? .max : UInt32(clamping: last.partialValue))
            }
        }
        guard let low = ranges.map(\.lowerBound).min(), let high = ranges.map(\.upperBound).max() else { return nil }
        return Line(owner: String(decoding: fields[0], as: UTF8.self), range: low...high)
    }

    /// The numbers that readers see in a field: shadow, which uses strtoull(3) with base 0, also octal and hexadecimal
    /// ones; others only decimal digits. A number beyond 64 bits counts as the largest.
    private static func readings(_ field: ArraySlice<UInt8>) -> Set<UInt64> {
        var digits = field.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        if digits.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        let blank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
        while let last = digits.last, blank(last) { digits = digits.dropLast() }
        let text = String(decoding: digits, as: UTF8.self).lowercased()
        if text.hasPrefix("0x") { return number(text.dropFirst(2), 16) }
        return number(text[...], 10).union(text.hasPrefix("0") ? number(text[...], 8) : [])
    }

    private static func number(_ digits: Substring, _ radix: Int) -> Set<UInt64> {
        guard !digits.isEmpty,
            digits.unicodeScalars.allSatisfy({ $0.isASCII && Character($0).hexDigitValue.map { $0 < radix } ?? false })
        else { return [] }
        return [UInt64(digits, radix: radix) ?? .max]
    }
}
