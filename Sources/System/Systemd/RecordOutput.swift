// SPDX-License-Identifier: Apache-2.0

internal import CSystemd
internal import Glibc
internal import LinuxSystem

/// Where records go. Both calls write one record whole; false: it is not written.
protocol RecordOutput: Sendable {
    /// Never blocks: also false where it would have to.
    func writeNow(_ record: LogRecord) -> Bool
    /// Blocks as long as it takes; for a thread of its own.
    func write(_ record: LogRecord) -> Bool
}

/// The journal. What its socket takes at once is a datagram in its native protocol
/// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL: `NAME=value` lines); libsystemd sends the others, such as longer ones.
struct JournalSocket: RecordOutput {
    static let path = "/run/systemd/journal/socket"

    private let identifier: String
    private let sender: DatagramSender

    init(identifier: String) throws(Errno) {
        self.identifier = identifier
        sender = try DatagramSender(to: JournalSocket.path)
    }

    func writeNow(_ record: LogRecord) -> Bool {
        let lines = record.assignments(identifier: identifier).map { $0 + "\n" }.joined()
        do throws(Errno) {
            try sender.send(Array(lines.utf8))
            return true
        } catch {
            return false
        }
    }

    func write(_ record: LogRecord) -> Bool {
        JournalSocket.send(record.assignments(identifier: identifier)) || StandardError().write(record)
    }

    /// sd_journal_sendv(3).
    private static func send(_ assignments: [String]) -> Bool {
        let copies = assignments.map { Array($0.utf8) }
        var vectors: [iovec] = []
        vectors.reserveCapacity(copies.count)
        // One allocation holds all bytes while the vectors point into it.
        let total = copies.reduce(0) { $0 + $1.count }
        return withUnsafeTemporaryAllocation(byteCount: total, alignment: 1) { space in
            var offset = 0
            for copy in copies {
                let place = UnsafeMutableRawBufferPointer(rebasing: space[offset..<offset + copy.count])
                place.copyBytes(from: copy)
                vectors.append(iovec(iov_base: place.baseAddress, iov_len: copy.count))
                offset += copy.count
            }
            return sd_journal_sendv(&vectors, Int32(vectors.count)) == 0
        }
    }
}

/// Writes a line each to standard error, where there is no journal.
struct StandardError: RecordOutput {
    /// A pipe that poll(2) calls writable takes this many bytes at once (PIPE_BUF, pipe(7)).
    private static let pipeWrite = 4096

    func writeNow(_ record: LogRecord) -> Bool {
        let line = record.line
        return StandardError.takesAtOnce(line.utf8.count) && StandardError.write(line)
    }

    func write(_ record: LogRecord) -> Bool { StandardError.write(record.line) }

    /// True for files, and for pipes with room. For anything else it is not known.
    private static func takesAtOnce(_ count: Int) -> Bool {
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        if status.st_mode & S_IFMT == S_IFREG { return true }
        guard status.st_mode & S_IFMT == S_IFIFO, count <= pipeWrite else { return false }
        var polled = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return poll(&polled, 1, 0) == 1 && polled.revents & Int16(POLLOUT) != 0
    }

    private static func write(_ line: String) -> Bool {
        var line = line
        return line.withUTF8 { bytes in
            // One write keeps the line whole.
            (try? retryingOnInterrupt { Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }) == bytes.count
        }
    }
}
