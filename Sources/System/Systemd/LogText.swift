// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// Text from outside on its way into a log (P12): bounded, on one line, without control characters.
enum LogText {
    static func bounded(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            guard result.utf8.count < Journal.longestValue else { return result + "…" }
            if scalar.isUnprintable {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func quoted(_ text: String) -> String {
        let escaped = bounded(text).flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
        return "\"\(String(escaped))\""
    }
}
