// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The owners of the TCP sockets that listen on this machine, by /proc/net/tcp and /proc/net/tcp6 (proc_pid_net(5)).
package enum TCPListeners {
    /// For both tables together. Twenty thousand listeners, as many as one process of a user's may have, took less than
    /// a second on a busy machine.
    package static let timeout: Duration = .seconds(5)
    /// Bytes of one read; the kernel gives whole lines, a page of them at most.
    private static let pieceSize = 1 << 16

    /// The uids of the sockets that take a connection to 127.0.0.1 and `port`: those bound to that address if there are
    /// any, otherwise those bound to all addresses. Empty if nothing listens; nil if the tables could not be read to
    /// the end within `limit`, because any user can make them long. Blocks meanwhile.
    package static func owners(ofLoopbackPort port: UInt16, within limit: Duration = timeout) -> Set<UInt32>? {
        let end = SystemClock.sinceBoot() + limit
        var scan = ListenerScan(port: port)
        for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard read(table, into: &scan, by: end) else { return nil }
        }
        return scan.owners
    }

    /// False where the table could not be read to its end. One that does not exist is empty: a kernel without IPv6.
    private static func read(_ path: String, into scan: inout ListenerScan, by end: Duration) -> Bool {
        do throws(Errno) {
            let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
            var piece = [UInt8](repeating: 0, count: pieceSize)
            scan.beginTable()
            while SystemClock.sinceBoot() < end {
                let count = try retryingOnInterrupt {
                    piece.withUnsafeMutableBytes { Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
                }
                // The kernel lists every listener before the first connection.
                guard count > 0, scan.take(piece[..<count]) else { return true }
            }
            return false
        } catch {
            return error == .noEntry
        }
    }
}

/// Finds the listeners of one port in the tables, which come piece by piece.
struct ListenerScan {
    private let port: UInt16
    private var exact: Set<UInt32> = []
    private var others: Set<UInt32> = []
    /// The beginning of a line whose end has not come.
    private var rest: [UInt8] = []

    init(port: UInt16) { self.port = port }

    var owners: Set<UInt32> { exact.isEmpty ? others : exact }

    mutating func beginTable() { rest = [] }

    /// False once a connection is found: no listener follows in this table.
    mutating func take(_ piece: ArraySlice<UInt8>) -> Bool {
        rest += piece
        var lines = rest[...]
        while let end = lines.firstIndex(of: 0x0a) {
            guard take(line: lines[..<end]) else { return false }
            lines = lines[(end + 1)...]
        }
        rest = Array(lines)
        return true
    }

    private mutating func take(line: ArraySlice<UInt8>) -> Bool {
        // sl, local address and port, remote ones, state, queues, timer, retransmits, uid
        let fields = line.split(separator: 0x20, maxSplits: 8)
        guard fields.count == 9, let state = ListenerScan.hexadecimal(fields[3]) else { return true }
        guard state == 0x0a else { return false }
        let place = fields[1].split(separator: 0x3a)
        guard place.count == 2, ListenerScan.hexadecimal(place[1]) == UInt32(port),
            let uid = UInt32(String(decoding: fields[7], as: UTF8.self))
        else { return true }
        switch String(decoding: place[0], as: UTF8.self) {
        case "0100007F", "0000000000000000FFFF00000100007F": exact.insert(uid)
        case let address where address.hasSuffix("00000000"): others.insert(uid)
        default: break
        }
        return true
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32? {
        UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
