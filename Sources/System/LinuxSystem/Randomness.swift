// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// The kernel's random numbers (getrandom(2)).
package enum Randomness {
    /// `count` random bytes, fit for keys. Early at boot, waits until the kernel has gathered enough entropy.
    package static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let result = clinux_random(buffer.baseAddress, count)
            precondition(result == 0, "getrandom: \(Errno(-result))")
            initialized = count
        }
    }
}
