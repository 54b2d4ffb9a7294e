// SPDX-License-Identifier: Apache-2.0

/// Turns the result of a CLinux function (a value, or a negated errno) into a value or an error.
@discardableResult
func checked<Number: FixedWidthInteger & SignedInteger>(_ result: Number) throws(Errno) -> Number {
    guard result >= 0 else { throw Errno(Int32(truncatingIfNeeded: -result)) }
    return result
}
