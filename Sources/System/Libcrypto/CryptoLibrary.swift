// SPDX-License-Identifier: Apache-2.0

internal import CCrypto
internal import Glibc

/// libcrypto itself, which is opened at run time.
package enum CryptoLibrary {
    /// Opens it, once for the process; throws if the machine has no library with all the functions that are needed. A
    /// program that needs it calls this at its start: without the library every later call fails.
    package static func open() throws(LibcryptoError) {
        guard let problem = ccrypto_open() else { return }
        throw LibcryptoError(opening: String(cString: problem))
    }

    /// The problem with the first of these libraries that can be opened; nil if it has all functions. For tests.
    package static func problem(with names: [String]) -> String? {
        var copies = names.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return copies.withUnsafeMutableBytes { bytes in
            let pointers = bytes.assumingMemoryBound(to: UnsafePointer<CChar>.self)
            return pointers.baseAddress.flatMap { ccrypto_try($0, Int32(names.count)) }.map { String(cString: $0) }
        }
    }
}
