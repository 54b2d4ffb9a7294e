// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite struct DatagramSenderTests {
    let folder = TemporaryFolder()

    private func bound(at path: String) -> Int32 {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                bind(socket, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        precondition(result == 0)
        return socket
    }

    private func received(_ socket: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    @Test func `a message arrives whole, and at whoever is bound there when it is sent`() throws {
        let sender = try DatagramSender(to: folder("s"))
        for round in 0..<2 as Range<UInt8> {
            let receiver = bound(at: folder("s"))
            try sender.send([1, 2, round])
            #expect(received(receiver) == [1, 2, round])
            close(receiver)
            unlink(folder("s"))
        }
    }

    @Test func `nobody there, nobody bound any more, and a full queue are errors, none of them waited for`() throws {
        let sender = try DatagramSender(to: folder("s"))
        #expect(throws: Errno.noEntry) { try sender.send([1]) }
        let receiver = bound(at: folder("s"))
        var sent = 0
        #expect(throws: Errno.wouldBlock) {
            while true {
                try sender.send([1])
                sent += 1
            }
        }
        #expect(sent > 0 && received(receiver) == [1])
        try sender.send([2])
        close(receiver)
        #expect(throws: Errno(ECONNREFUSED)) { try sender.send([1]) }
    }
}
