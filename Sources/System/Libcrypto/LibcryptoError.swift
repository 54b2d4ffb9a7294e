// SPDX-License-Identifier: Apache-2.0

internal import CCrypto

/// A call into libcrypto failed.
package struct LibcryptoError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The function that failed, and what libcrypto's error queue held, oldest first; no key material.
    package let description: String

    /// The most entries of the queue that are reported; ERR_NUM_ERRORS is 16.
    private static let toldErrors = 4

    /// Takes this thread's error queue and leaves it empty (ERR_get_error(3)).
    init(in function: StaticString) {
        var reasons: [String] = []
        var text = [CChar](repeating: 0, count: 256)
        while ccrypto_next_error(&text, UInt(text.count)) == 1 {
            guard reasons.count < LibcryptoError.toldErrors else { continue }
            reasons.append(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        description = reasons.isEmpty ? "\(function) failed" : "\(function): \(reasons.joined(separator: "; "))"
    }

    init(opening problem: String) { description = "OpenSSL 3 or 1.1.1 is needed: \(problem)" }

    /// Clears the errors of earlier calls on this thread, so that none is reported for a later call.
    static func clearQueue() { ccrypto_clear_errors() }
}
