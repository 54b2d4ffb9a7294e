// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import Identity
import Libcrypto
import LinuxSystem
import TestSupport
import Testing

private func sample() throws -> AccountTable {
    var accounts: [EnrolledAccount] = []
    let former = try name("old@contoso.com")
    for (index, displayName) in ["Alice Example", "", "100% Müller 田中", "", "Added"].enumerated() {
        let name = try name("p\(index)@contoso.com")
        accounts.append(
            EnrolledAccount(
                account: Account(
                    name: name,
                    uid: try #require(PosixID(user: PosixID.userRange.lowerBound + UInt32(index))),
                    displayName: displayName,
                    home: "/home/\(name)",
                    shell: "/bin/bash"
                ),
                identity: try identity(index),
                enrolledAt: UnixTime(seconds: 1_700_000_000),
                retiredAt: index == 1 ? UnixTime(seconds: 1_800_000_000) : nil,
                formerNames: index == 2 ? [former] : [],
                lockedAt: index == 3 ? UnixTime(seconds: 1_800_000_000) : nil,
                isAdded: index > 2
            )
        )
    }
    return try AccountTable(accounts)
}

@Suite struct AccountStoreTests {
    let folder = TemporaryFolder()

    private var store: AccountStore { AccountStore(AtomicFile("\(folder.path)/accounts")) }

    private func fault(_ bytes: [UInt8]) -> StoreFault? {
        do throws(StoreFault) {
            _ = try store.content(of: bytes)
            return nil
        } catch {
            return error
        }
    }

    private func written() throws -> [UInt8] {
        try store.save(AccountStore.Content(table: try sample(), generation: 7))
        return try AtomicFile("\(folder.path)/accounts").read(limit: 1 << 20)
    }

    /// A file with these body lines and a correct last line.
    private func signed(_ lines: [String], version: String = "1") -> [UInt8] {
        let body = Array("entralogin-accounts \(version)\n".utf8) + lines.flatMap { Array("\($0)\n".utf8) }
        let sum = SHA256.digest(of: body).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        return body + Array("end lines=\(lines.count) sha256=\(sum)\n".utf8)
    }

    @Test func `a table is read back as it was written`() throws {
        _ = try written()
        let content = try #require(try store.load())
        #expect(content.generation == 7)
        #expect(content.table.accounts == (try sample().accounts))
        #expect(try AccountStore(AtomicFile("\(folder.path)/none")).load() == nil)
    }

    @Test func `a person can read the file`() throws {
        let text = String(decoding: try written(), as: UTF8.self)
        let lines = text.split(separator: "\n")
        #expect(lines[0] == "entralogin-accounts 1")
        #expect(lines[1] == "generation 7")
        #expect(
            lines[2]
                == "account p0@contoso.com uid=1879049216 tenant=\(contoso) object=00000000-0000-4000-8000-000000000000 "
                + "enrolled=1700000000 retired=- home=/home/p0@contoso.com shell=/bin/bash former=- "
                + "gecos=Alice%20Example"
        )
        #expect(lines[4].hasSuffix("former=old@contoso.com gecos=100%25%20M%c3%bcller%20%e7%94%b0%e4%b8%ad"))
        #expect(
            lines[5].hasSuffix("gecos= locked=1800000000 added=root") && lines[6].hasSuffix("gecos=Added added=root")
        )
        #expect(signed(lines[1...6].map(String.init)) == Array(text.utf8))
    }

    @Test func `the longest possible account is read back`() throws {
        let domain = "@" + String(repeating: "d", count: 48)
        let longest = EnrolledAccount(
            account: Account(
                name: try name(String(repeating: "a", count: 64) + domain),
                uid: try #require(PosixID(user: PosixID.userRange.upperBound)),
                displayName: String(repeating: "田", count: 85),
                home: "/" + String(repeating: "h", count: 254),
                shell: "/" + String(repeating: "%", count: 254)
            ),
            identity: try identity(1),
            enrolledAt: UnixTime(seconds: .min),
            retiredAt: UnixTime(seconds: .max),
            formerNames: try (0..<AccountTable.formerNameLimit).map { number in
                try name(String(repeating: "b", count: 62) + String(number + 10) + domain)
            }
        )
        try store.save(AccountStore.Content(table: try AccountTable([longest]), generation: .max))
        #expect(try store.load()?.table.accounts == [longest])
    }

    @Test("P13: every truncation of a store is refused, with a line")
    func truncation() throws {
        let bytes = try written()
        for count in bytes.indices {
            let fault = fault(Array(bytes.prefix(count)))
            #expect(fault?.line != nil, "\(count) bytes")
            #expect(fault?.description.contains("Restore") == true)
        }
    }

    @Test("P13: every bit flip in a store is refused, with a line")
    func bitFlips() throws {
        var bytes = try written()
        for index in bytes.indices {
            for bit in 0..<8 {
                bytes[index] ^= 1 << bit
                #expect(fault(bytes)?.line != nil, "byte \(index), bit \(bit)")
                bytes[index] ^= 1 << bit
            }
        }
        #expect(fault(bytes) == nil)
    }

    @Test("P13: bytes behind the end, lost, doubled and exchanged lines are refused")
    func lines() throws {
        let bytes = try written()
        #expect(fault(bytes + [0]) != nil)
        #expect(fault(bytes + [10]) != nil)
        #expect(fault(bytes + bytes) != nil)
        #expect(fault([10] + bytes) != nil)
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        for index in lines.indices {
            let lost = lines.enumerated().filter { $0.offset != index }.map(\.element)
            #expect(fault(Array((lost.joined(separator: "\n") + "\n").utf8)) != nil)
            let doubled = lines[...index] + lines[index...]
            #expect(fault(Array((doubled.joined(separator: "\n") + "\n").utf8)) != nil)
        }
    }

    @Test("P13: a line that entralogin does not write is refused even with a right checksum, and named")
    func forgedLines() throws {
        let good = String(decoding: try written(), as: UTF8.self).split(separator: "\n")[2...4].map(String.init)
        #expect(fault(signed(["generation 7"] + good)) == nil)
        let forgeries = [
            "uid=1879049217": "uid=0", "retired=1800000000": "retired=", "shell=/bin/bash": "shell=bash",
            "home=/home/p1@contoso.com": "home=/home/../etc", "gecos=": "gecos=a%0a", "former=-": "former=",
            "account p1@contoso.com": "account root", "tenant=9": "tenant=9%39", " uid": "  uid",
            "enrolled=1700000000": "enrolled=01700000000", "object=00000000": "object=0000000A",
            "gecos": "gecos=%41", "shell=/bin": "shell=/b%69n",
        ]
        for (old, new) in forgeries {
            var lines = good
            #expect(lines[1].contains(old), "\(old)")
            lines[1] = lines[1].replacing(old, with: new)
            #expect(fault(signed(["generation 7"] + lines))?.line == 4, "\(new)")
        }
        #expect(fault(signed(["generation 7", good[0] + String(repeating: "x", count: 9_000)]))?.line == 3)
        #expect(fault(signed(["generation -1"] + good))?.line == 2)
        #expect(fault(signed(["generation 07"] + good))?.line == 2)
        #expect(fault(signed(good))?.line == 2)
        #expect(fault(signed([]))?.line != nil)
    }

    @Test("P5: two accounts with one uid, name, home or person are refused, and the second one's line is named")
    func collisions() throws {
        let good = String(decoding: try written(), as: UTF8.self).split(separator: "\n")[2...4].map(String.init)
        for (old, new) in [
            ("uid=1879049218", "uid=1879049216"), ("home=/home/p2@", "home=/home/p0@"),
            ("object=00000000-0000-4000-8000-000000000002", "object=00000000-0000-4000-8000-000000000000"),
            ("account p2@", "account p0@"), ("former=old@", "former=p0@"),
        ] {
            var lines = good
            lines[2] = lines[2].replacing(old, with: new)
            #expect(lines[2] != good[2])
            #expect(fault(signed(["generation 7"] + lines))?.line == 5, "\(new)")
        }
    }

    @Test("P14: an unknown version is refused, and quoted with care")
    func versions() throws {
        let fault = fault(signed(["generation 7"], version: "2\u{1b}[31m"))
        #expect(fault?.line == 1)
        #expect(fault?.problem.contains("\"2?[31m\"") == true)
        #expect(fault?.problem.contains("overwritten") == false)
        #expect(self.fault(Array("root:x:0:0\n".utf8))?.line == 1)
        #expect(self.fault([])?.line == 1)
        #expect(self.fault([0xff, 0xfe, 0x0a])?.line == 1)
    }
}
