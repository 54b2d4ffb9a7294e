// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Who listens on the TCP ports of this machine, by /proc/net/tcp and /proc/net/tcp6 (proc_pid_net(5)).
package enum TCPListeners {
    /// Bytes of each table that are read. Listeners stand before connections; those beyond it are not seen.
    private static let limit = 1 << 20

    /// The users whose sockets take a connection to 127.0.0.1 and `port`: those at that very address where there are
    /// any, otherwise those at all addresses. Empty where nobody listens.
    package static func owners(ofLoopbackPort port: UInt16) -> Set<UInt32> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map { (try? read($0)) ?? "" }
        return owners(ofLoopbackPort: port, in: tables)
    }

    static func owners(ofLoopbackPort port: UInt16, in tables: [String]) -> Set<UInt32> {
        var exact: Set<UInt32> = []
        var others: Set<UInt32> = []
        for line in tables.flatMap({ $0.split(separator: "\n") }) {
            // sl, local address and port, remote ones, state, queues, timer, retransmits, uid
            let fields = line.split(separator: " ", maxSplits: 8)
            guard fields.count == 9, fields[3] == "0A", let uid = UInt32(fields[7]) else { continue }
            let place = fields[1].split(separator: ":")
            guard place.count == 2, UInt16(place[1], radix: 16) == port else { continue }
            switch place[0] {
            case "0100007F", "0000000000000000FFFF00000100007F": exact.insert(uid)
            case _ where place[0].hasSuffix("00000000"): others.insert(uid)
            default: continue
            }
        }
        return exact.isEmpty ? others : exact
    }

    private static func read(_ path: String) throws(Errno) -> String {
        let file = try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: limit)
        var used = 0
        while used < limit {
            let got = try retryingOnInterrupt {
                bytes.withUnsafeMutableBytes { buffer in
                    Glibc.read(file.rawValue, buffer.baseAddress.map { $0 + used }, limit - used)
                }
            }
            guard got > 0 else { break }
            used += got
        }
        return String(decoding: bytes[..<used], as: UTF8.self)
    }
}
