// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Reads an open file, pipe or terminal to its end: everything, or more than `limit` bytes if there are more, which the
/// caller has to check. `size` is the expected size. Errors: those of read(2).
package func readWhole(_ descriptor: Int32, expecting size: Int, limit: Int) throws(Errno) -> [UInt8] {
    // One byte more than expected, so that the end shows in one read; a file that grows meanwhile is read on.
    var content = [UInt8](repeating: 0, count: size + 1)
    var used = 0
    while used <= limit {
        let count = try retryingOnInterrupt {
            content.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + used }, buffer.count - used)
            }
        }
        guard count > 0 else { break }
        used += count
        if used == content.count { content.append(contentsOf: repeatElement(0, count: min(limit, 65_536) + 1)) }
    }
    content.removeSubrange(used...)
    return content
}
