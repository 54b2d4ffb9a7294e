// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import LinuxSystem

struct TCPListenersTests {
    private static let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

    private func line(_ address: String, _ uid: UInt32, port: String = "9D96", state: String = "0A") -> String {
        "   0: \(address):\(port) 00000000:0000 \(state) 00000000:00000000 00:00000000 00000000  \(uid)        0 49 1\n"
    }

    private func owners(_ lines: String..., inPiecesOf size: Int = 4096) -> Set<UInt32> {
        var scan = ListenerScan(port: 40342)
        for table in [Self.head + lines.joined(), Self.head] {
            var bytes = Array(table.utf8)[...]
            scan.beginTable()
            while !bytes.isEmpty, scan.take(bytes.prefix(size)) { bytes = bytes.dropFirst(size) }
        }
        return scan.owners
    }

    @Test("A listener at the very address counts before those at all addresses")
    func order() {
        let all = "00000000000000000000000000000000"
        #expect(owners(line("0100007F", 0), line("00000000", 1000), line(all, 1001)) == [0])
        #expect(owners(line("0000000000000000FFFF00000100007F", 7), line("00000000", 1000)) == [7])
        #expect(owners(line("00000000", 5), line(all, 6)) == [5, 6])
    }

    @Test("Other ports, other addresses and connections do not count; nor does what is no line")
    func others() {
        #expect(owners() == [])
        #expect(owners(line("0100007F", 1000, port: "9D97"), line("0200007F", 1000)) == [])
        #expect(owners(line("0100007F", 1000, state: "01"), "   0: 0100007F:9D96\n", "x\n") == [])
    }

    @Test("However long the table is and wherever a read ends, a listener is found", arguments: [1, 7, 149, 4096])
    func long(pieces: Int) {
        let others = String(repeating: line("0200007F", 1000, port: "0400"), count: pieces < 4096 ? 50 : 8_000)
        #expect(owners(others, line("0100007F", 0), inPiecesOf: pieces) == [0])
        // The kernel lists connections after all listeners, and the reader stops there.
        #expect(owners(line("0100007F", 0), line("0100007F", 7, state: "01"), line("0100007F", 1000)) == [0])
    }

    @Test("Who has no time to read to the end knows nothing: that is not the same as nobody")
    func late() {
        #expect(TCPListeners.owners(ofLoopbackPort: 40342, within: .zero) == nil)
    }

    @Test("A socket of this process is found under this user")
    func live() throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port =
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Bool in
                    bind(socket, pointer, size) == 0 && getsockname(socket, pointer, &size) == 0
                }
            } ? UInt16(bigEndian: address.sin_port) : 0
        try #require(port != 0)
        #expect(TCPListeners.owners(ofLoopbackPort: port) == [])
        try #require(listen(socket, 1) == 0)
        #expect(TCPListeners.owners(ofLoopbackPort: port) == [geteuid()])
    }
}
