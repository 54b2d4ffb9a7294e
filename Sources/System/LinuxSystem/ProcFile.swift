// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Reads the small text files of /proc, whose size is unknown before they are read.
enum ProcFile {
    /// No file read here is as long: each holds one line.
    static let limit = 4096

    /// The whole text. Errors: those of open(2) and read(2), EFBIG from `limit` bytes on, EILSEQ where it is not UTF-8.
    static func read(_ path: String) throws(Errno) -> String {
        let descriptor = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: limit)
        var used = 0
        while used < limit {
            let rest = used..<limit
            let got = try retryingOnInterrupt {
                bytes.withUnsafeMutableBytes { Glibc.read(descriptor.rawValue, $0[rest].base, rest.count) }
            }
            guard got > 0 else { break }
            used += got
        }
        guard used < limit else { throw Errno(EFBIG) }
        guard let text = String(validating: bytes[..<used], as: UTF8.self) else { throw Errno(EILSEQ) }
        return text
    }
}

extension Slice where Base == UnsafeMutableRawBufferPointer {
    /// The address of the first byte; nil only where the buffer has none.
    fileprivate var base: UnsafeMutableRawPointer? { UnsafeMutableRawBufferPointer(rebasing: self).baseAddress }
}
