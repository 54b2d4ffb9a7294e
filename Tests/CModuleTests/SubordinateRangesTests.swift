// SPDX-License-Identifier: Apache-2.0

import CWire
import EndSessions
import Glibc
import TestSupport
import Testing

/// end-sessions: which subordinate uids it accepts as an account's, by subuid(5) and passwd(5).
@Suite("Ranges of rootless containers")
struct SubordinateRangesTests {
    private static let uid: UInt32 = 1_900_000_001
    private static let name = "alice@contoso.com"
    private static let root = "root:x:0:0:root:/root:/bin/sh\n"
    private static let own = "\(name):1073741824:65536\n"
    private static let range: ClosedRange<UInt32> = 1_073_741_824...1_073_807_359

    private func ranges(
        _ lines: String?,
        passwd: String = root,
        name: String = name,
        mode: UInt16 = 0o644,
        owner: UInt32 = geteuid()
    ) -> [ClosedRange<UInt32>] {
        let folder = TemporaryFolder()
        folder.write(Array(passwd.utf8), to: "passwd")
        if let lines {
            folder.write(Array(lines.utf8), to: "subuid")
            chmod(folder("subuid"), mode_t(mode))
        }
        var account = entralogin_account()
        account.uid = Self.uid
        account.ranges_count = 1  // left by an earlier request
        folder("passwd").withCString { passwd in
            folder("subuid").withCString { subuid in
                var owners = entralogin_owners(passwd: passwd, subuid: subuid, mapped: nil, root: owner)
                entralogin_find_ranges(&owners, name, name.utf8.count, &account)
            }
        }
        return withUnsafeBytes(of: account.ranges) { bytes in
            let numbers = bytes.bindMemory(to: UInt32.self)
            return (0..<Int(account.ranges_count)).map { numbers[2 * $0]...numbers[2 * $0 + 1] }
        }
    }

    @Test("P2: lines by name and by number count, wherever they are in the file")
    func own() {
        #expect(ranges(Self.own) == [Self.range])
        #expect(ranges("lisa:100000:65536\nbroken\n" + Self.own.dropLast()) == [Self.range])
        #expect(ranges("\(Self.uid):1073741824:65536\n\(Self.name):70000:1\n") == [Self.range, 70000...70000])
        #expect(ranges("\(Self.name)x:1073741824:65536\nALICE@contoso.com:70000:1\n").isEmpty)
        let many = (0..<20).map { "\(Self.name):\(1_073_741_824 + $0 * 10):5\n" }.joined()
        #expect(ranges(many).count == Int(ENTRALOGIN_RANGES_MAX))
    }

    @Test(
        "P7: a line whose numbers readers see differently, of local accounts, of Entra accounts or of nobody is no range",
        arguments: [
            "01073741824:65536", "0x40000000:65536", "1073741824:0x10000", "1073741824:0", "1073741824:65536:", "-1:1",
            "1073741824:-1", "1073741824:65536 ", " 1073741824:65536", "65535:65536", "0:4294967295", "4294967290:6",
            "4294967290:4294967295", "99999999999999999999:1", "1073741824:99999999999999999999", "1879048192:1",
            "1879048000:65536", "2147352575:1", "1073741824", "", ":",
        ]
    )
    func odd(numbers: String) {
        #expect(ranges("\(Self.name):\(numbers)\n").isEmpty)
        #expect(ranges("\(Self.name):\(numbers)\n\(Self.name):70000:1\n") == [70000...70000])
    }

    @Test("P7: numbers that another line or a local uid has, too, are left alone; the account's other lines are not")
    func shared() {
        let more = Self.own + "\(Self.name):70000:1\n"
        for other in ["lisa:1073807359:1", "lisa:0:4294967295", "lisa:0x40000000:0x1", "containers:1073741824:65536:x"]
        {
            #expect(!ranges(more + other + "\n").contains(Self.range), "\(other)")
            #expect(!ranges("\(other)\n\(more)").contains(Self.range), "\(other)")
        }
        #expect(ranges(more + "lisa:1073807360:65536\nlisa:1073741823:1\n") == [Self.range, 70000...70000])
        #expect(ranges(more, passwd: Self.root + "dom:x:1073741900:1::/:/bin/sh\n") == [70000...70000])
    }

    @Test("P7: no range for a local account's name, for no name of Entra's, or by files that cannot be relied on")
    func whose() {
        #expect(ranges(Self.own, passwd: Self.root + "\(Self.name):x:1001:1001::/:/bin/sh\n").isEmpty)
        #expect(
            ranges(Self.own, passwd: Self.root + "\(Self.name):!*adopted:\(Self.uid):1::/:/bin/sh\n") == [Self.range]
        )
        #expect(ranges("lisa:1073741824:65536\n", name: "lisa") == [Self.range], "a short name, which nobody else has")
        #expect(
            ranges("lisa:1073741824:65536\n", passwd: Self.root + "lisa:x:1001:1001::/:/bin/sh\n", name: "lisa").isEmpty
        )
        #expect(ranges("lisa_k:1073741824:65536\n", name: "lisa_k").isEmpty)
        #expect(ranges(":1073741824:65536\n", name: "").isEmpty)
        #expect(ranges(Self.own, passwd: Self.root + String(repeating: "x", count: 5000) + "\n").isEmpty)
        #expect(ranges(Self.own + String(repeating: "x", count: 5000) + "\n").isEmpty, "a line too long")
        #expect(ranges(nil).isEmpty)
        for mode: UInt16 in [0o664, 0o646] { #expect(ranges(Self.own, mode: mode).isEmpty) }
        #expect(ranges(Self.own, owner: geteuid() + 1).isEmpty)
    }

    @Test("P2: a process with a number of a range is the account's only where it carries the account's uid")
    func carried() {
        let folder = TemporaryFolder()
        var account = entralogin_account()
        account.uid = Self.uid
        account.ranges_count = 1
        account.ranges.0.first = Self.range.lowerBound
        account.ranges.0.last = Self.range.upperBound
        func isTheirs(_ uid: UInt32) -> Bool {
            let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY)
            defer { close(descriptor) }
            var process = entralogin_process()
            process.real = uid
            return entralogin_is_accounts(descriptor, &process, &account) != 0
        }
        #expect(isTheirs(Self.uid) && !isTheirs(Self.range.lowerBound))
        folder.write(Array("0::/user.slice/user-1000.slice/session-1.scope\n".utf8), to: "cgroup")
        folder.write(Array("4294967295".utf8), to: "loginuid")
        #expect(!isTheirs(Self.range.lowerBound))
        folder.write(Array("\(Self.uid)".utf8), to: "loginuid")
        for uid in [Self.range.lowerBound, Self.range.upperBound] { #expect(isTheirs(uid)) }
        for uid in [Self.range.lowerBound - 1, Self.range.upperBound + 1, 0, 1000] { #expect(!isTheirs(uid)) }
        folder.write(Array("4294967295".utf8), to: "loginuid")
        folder.write(Array("0::/user.slice/user-\(Self.uid).slice/user@\(Self.uid).service/x\n".utf8), to: "cgroup")
        #expect(isTheirs(Self.range.lowerBound))
    }
}
