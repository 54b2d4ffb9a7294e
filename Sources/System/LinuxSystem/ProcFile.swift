// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Reads the small text files of /proc, whose size is unknown before they are read.
enum ProcFile {
    /// No file read here is that long: each holds one line.
    static let limit = 4096

    /// The whole text. Errors: those of open(2) and read(2), EFBIG from `limit` bytes on, EILSEQ if it is not UTF-8.
    static func read(_ path: String) throws(Errno) -> String {
        let descriptor = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        let bytes = try readWhole(descriptor.rawValue, expecting: limit - 1, limit: limit - 1)
        guard bytes.count < limit else { throw Errno(EFBIG) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Errno(EILSEQ) }
        return text
    }
}
