// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Where the tool's words go.
enum Output {
    /// As it is.
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    static func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    static func say(_ lines: [String]) { write(lines.map { $0 + "\n" }.joined(), to: STDOUT_FILENO) }

    static func complain(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
