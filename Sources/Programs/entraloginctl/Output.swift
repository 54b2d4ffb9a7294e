// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// The tool's output.
enum Output {
    /// Adds no line end.
    static func write(_ text: String) { write(text, to: STDOUT_FILENO) }

    static func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    static func say(_ lines: [String]) { write(lines.map { $0 + "\n" }.joined(), to: STDOUT_FILENO) }

    static func complain(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// Why standard output did not take everything; nil where it did, or where its reader has had enough (EPIPE).
    static var problem: String? {
        let number = failure.load(ordering: .relaxed)
        return number == 0 || number == EPIPE ? nil : String(cString: strerror(number))
    }

    private static let failure = Atomic<Int32>(0)

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else {
                if descriptor == STDOUT_FILENO { failure.store(errno, ordering: .relaxed) }
                return
            }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
