// SPDX-License-Identifier: Apache-2.0

internal import CCrypto
internal import Glibc

/// libcrypto itself, which is opened at run time.
package enum CryptoLibrary {
    /// Opens it, once for the process; throws where the machine has none that has all that is needed. A program that needs it
    /// asks at its start: later every call fails.
    package static func open() throws(LibcryptoError) {
        guard let problem = ccrypto_open() else { return }
        throw LibcryptoError(opening: String(cString: problem))
    }

    /// What opening the first of these that exists says; nil where it has all that is needed. For tests.
    package static func problem(with names: [String]) -> String? {
        var copies = names.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return copies.withUnsafeMutableBytes { bytes in
            let pointers = bytes.assumingMemoryBound(to: UnsafePointer<CChar>.self)
            return pointers.baseAddress.flatMap { ccrypto_try($0, Int32(names.count)) }.map { String(cString: $0) }
        }
    }
}
