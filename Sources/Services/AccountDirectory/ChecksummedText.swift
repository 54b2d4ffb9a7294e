// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Libcrypto

/// A text file with a first line of name and version, body lines, and a last line with their number and a SHA-256. It
/// is read as a whole or not at all.
struct ChecksummedText: Sendable {
    /// Why the bytes are not such a file; line numbers count from 1.
    enum Flaw: Error, Hashable, Sendable {
        case notText(line: Int)
        case otherFile
        case unknownVersion(String)
        case cutOff(line: Int)
        case wrongCount(line: Int)
        case wrongChecksum(line: Int)
    }

    let name: String
    let version: Int

    /// The file with these body lines; none of them holds a line end.
    func bytes(of lines: some Collection<String>) -> [UInt8] {
        self.bytes(count: lines.count) { bytes in
            for line in lines {
                bytes += line.utf8
                bytes.append(UInt8(ascii: "\n"))
            }
        }
    }

    /// The same; `write` appends `count` lines, each with its line end.
    func bytes(count: Int, _ write: (inout [UInt8]) -> Void) -> [UInt8] {
        var bytes = Array("\(name) \(version)\n".utf8)
        bytes.reserveCapacity(count * 320)
        write(&bytes)
        bytes.append(contentsOf: lastLine(count: count, sum: SHA256.digest(of: bytes)).utf8)
        return bytes
    }

    /// The body lines; the first of them is line 2 of the file.
    func lines(of bytes: [UInt8]) throws(Flaw) -> [Substring] {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText(line: line(ofFlawIn: bytes)) }
        let lineEnd = UInt8(ascii: "\n")
        var lines = text.utf8.split(separator: lineEnd, omittingEmptySubsequences: false).map { Substring($0) }
        guard lines.count > 1, let first = lines.first else { throw .cutOff(line: 1) }
        try checkFirst(first)
        // Nothing may follow the last line end, and the last line has the checksum.
        guard lines.count > 2, lines.last?.isEmpty == true else { throw .cutOff(line: lines.count) }
        lines.removeLast()
        let last = lines.removeLast()
        guard last.hasPrefix("end ") else { throw .cutOff(line: lines.count + 2) }
        let number = lines.count + 1
        let count = lines.count - 1
        guard last.hasPrefix("end lines=\(count) ") else { throw .wrongCount(line: number) }
        let body = Array(bytes.prefix(bytes.count - last.utf8.count - 1))
        let sum = SHA256.digest(of: body)
        guard last + "\n" == lastLine(count: count, sum: sum) else { throw .wrongChecksum(line: number) }
        return Array(lines.dropFirst())
    }

    private func checkFirst(_ line: Substring) throws(Flaw) {
        guard line.utf8.elementsEqual("\(name) \(version)".utf8) else {
            guard line.hasPrefix("\(name) "), line.utf8.count < 80 else { throw .otherFile }
            throw .unknownVersion(String(line.dropFirst(name.count + 1)))
        }
    }

    private func lastLine(count: Int, sum: [UInt8]) -> String {
        "end lines=\(count) sha256=\(Hexadecimal.encode(sum))\n"
    }

    private func line(ofFlawIn bytes: [UInt8]) -> Int {
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where String(validating: line, as: UTF8.self) == nil {
            return index + 1
        }
        return 1
    }
}
