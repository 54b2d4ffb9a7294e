// SPDX-License-Identifier: Apache-2.0

import AccessControl
import LinuxSystem
import Server
import Testing

@Suite struct DescriptorLimitTests {
    @Test("P13: the unit's descriptors suffice while every table is full, so that open sessions keep nobody out")
    func suffices() throws {
        let top = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        let file = AtomicFile("\(top)/systemd/entralogind.service")
        let unit = String(decoding: try file.read(limit: 65_536), as: UTF8.self)
        let key = "LimitNOFILE="
        let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix(key) })
        let limit = try #require(Int(line.dropFirst(key.count)))
        let processes = OpenSessions.limit + VerifiedCertificates.processLimit
        let connections = 2 * ConnectionLimits().connections
        // And 1024 for descriptors without a table: transfers, files, the loop's own.
        #expect(limit >= processes + connections + 1024)
    }
}
