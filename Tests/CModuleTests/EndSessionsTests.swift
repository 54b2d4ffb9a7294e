// SPDX-License-Identifier: Apache-2.0

import CWire
import EndSessions
import Glibc
import TestSupport
import Testing

/// end-sessions: which uids it accepts as Entra accounts', which processes it finds for an account, and its answers.
@Suite("EndSessions")
struct EndSessionsTests {
    private static let uid: UInt32 = 1_900_000_001
    private static let name = "alice@contoso.com"
    private static let mapped = "alice@contoso.com:0b1ec700-0000-4000-8000-00000000a11c:1001"

    private func isEntra(_ uid: UInt32, passwd: String?, list: String? = nil) -> Bool {
        let folder = TemporaryFolder()
        if let passwd { folder.write(Array(passwd.utf8), to: "passwd") }
        if let list { folder.write(Array("entralogin-adopted 1\n\(list)\n".utf8), to: "adopted") }
        return folder("passwd").withCString { passwd in
            folder("adopted").withCString { list in
                var owners = entralogin_owners(passwd: passwd, subuid: nil, mapped: list, root: geteuid())
                return entralogin_uid_is_entra(&owners, uid) != 0
            }
        }
    }

    @Test("P7: a uid of the range is an Entra account's unless a local one has it; others by list and file together")
    func whose() {
        let root = "root:x:0:0:root:/root:/bin/sh\n"
        #expect(isEntra(Self.uid, passwd: root))
        #expect(!isEntra(Self.uid, passwd: root + "eve:x:\(Self.uid):\(Self.uid)::/:/bin/sh\n"))
        #expect(!isEntra(Self.uid, passwd: nil), "a file that is not there")
        #expect(!isEntra(Self.uid, passwd: root + String(repeating: "x", count: 5000) + "\n"), "a line too long")
        let range = [ENTRALOGIN_ID_FIRST, ENTRALOGIN_UID_FIRST - 1, ENTRALOGIN_ID_LAST + 1]
        for other in [0, 1, 999, 65534, .max] + range { #expect(!isEntra(other, passwd: root), "\(other)") }
        let alice = "alice@contoso.com:!*adopted:1001:1001::/home/alice:/bin/bash\n"
        #expect(isEntra(1001, passwd: root + alice, list: Self.mapped))
        #expect(!isEntra(1001, passwd: root + alice))
        #expect(!isEntra(1001, passwd: root, list: Self.mapped))
        #expect(!isEntra(1001, passwd: root + alice + "lisa:x:1001:1001::/:/bin/sh\n", list: Self.mapped))
        #expect(!isEntra(1001, passwd: root + "lisa:x:1001:1001::/:/bin/sh\n", list: Self.mapped))
    }

    private func status(
        _ uids: String,
        state: String = "S (sleeping)",
        threads: Int = 1,
        name: String = "sshd"
    ) -> String {
        "Name:\t\(name)\nUmask:\t0022\nState:\t\(state)\nTgid:\t77\nNgid:\t0\nPid:\t77\nPPid:\t5\nTracerPid:\t0\n"
            + "Uid:\t\(uids)\nGid:\t0\t0\t0\t0\nThreads:\t\(threads)\n"
    }

    private func parsed(_ text: String) -> entralogin_process? {
        var process = entralogin_process()
        return entralogin_parse_status(text, &process) == 0 ? nil : process
    }

    @Test(
        "A process is the account's by its real uid, or by what a user started; never one of root's that acts as it",
        arguments: [
            ("7\t7\t7\t7", true), ("7\t0\t0\t0", true), ("8\t7\t7\t7", true), ("0\t7\t7\t7", false),
            ("0\t7\t0\t7", false), ("8\t8\t8\t7", false), ("8\t7\t8\t7", false), ("0\t0\t0\t0", false),
        ]
    )
    func belongs(uids: String, isTheirs: Bool) throws {
        var process = try #require(parsed(status(uids)))
        #expect((entralogin_is_of(&process, 7) != 0) == isTheirs)
        #expect(process.pid == 77 && process.parent == 5)
    }

    @Test("A leader that has ended lives while a thread does; a name cannot forge a field; what is cut is no status")
    func alive() throws {
        for (state, threads, isAlive) in [("Z (zombie)", 1, false), ("Z (zombie)", 2, true), ("T (stopped)", 1, true)] {
            var process = try #require(parsed(status("7\t7\t7\t7", state: state, threads: threads)))
            #expect((entralogin_is_alive(&process) != 0) == isAlive)
        }
        let forged = try #require(parsed(status("7\t7\t7\t7", name: "x\\nUid:\\t0")))
        #expect(forged.real == 7)
        let lines = status("7\t7\t7\t7").split(separator: "\n")
        for count in 0..<lines.count { #expect(parsed(lines.prefix(count).joined(separator: "\n")) == nil, "\(count)") }
    }

    @Test(
        "Terminals of a login have a path, and nothing else has",
        arguments: [
            (0x8800, "/dev/pts/0"), (0x8803, "/dev/pts/3"), (0x10_88ff, "/dev/pts/511"), (0x0401, "/dev/tty1"),
            (0x0440, "/dev/ttyS0"), (0x0400, nil), (0x0103, nil), (0, nil),
        ] as [(UInt32, String?)]
    )
    func terminals(number: UInt32, path: String?) {
        var bytes = [CChar](repeating: 0, count: 32)
        let isOne = entralogin_terminal_path(number, &bytes, bytes.count) != 0
        let text = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect((isOne ? text : nil) == path)
    }

    private func answer(_ request: [UInt8], _ end: @escaping entralogin_end_function_pointer) -> [UInt8] {
        let folder = TemporaryFolder()
        folder.write(Array("root:x:0:0::/:/bin/sh\n".utf8), to: "passwd")
        var reply = [UInt8](repeating: 0, count: 2048)
        let size = folder("passwd").withCString { passwd in
            folder("none").withCString { none in
                var owners = entralogin_owners(passwd: passwd, subuid: none, mapped: none, root: geteuid())
                return entralogin_answer_end(&owners, end, request, request.count, &reply, reply.count)
            }
        }
        return Array(reply.prefix(size))
    }

    private typealias entralogin_end_function_pointer =
        @convention(c) (UnsafePointer<entralogin_account>?, UInt16, UnsafeMutablePointer<entralogin_ended>?) -> Int32

    private let ended: entralogin_end_function_pointer = { _, _, ended in
        ended?.pointee.ended = 5
        ended?.pointee.others_count = 1
        ended?.pointee.others.0.pid = 99
        return 0
    }

    @Test("P10: only a whole request of a known cause is answered, and only for an Entra account is anything done")
    func requests() {
        let good = Frame().u32(Self.uid).u16(ENTRALOGIN_END_COMMAND).string(Self.name).bytes(
            ENTRALOGIN_END_ACCOUNT,
            reply: false
        )
        let expected = Frame().u16(ENTRALOGIN_STATUS_OK).u32(5).u32(0).u16(1).u32(99).u32(0).string("")
            .bytes(ENTRALOGIN_END_ACCOUNT)
        #expect(answer(good, ended) == expected)
        for length in 0..<good.count { #expect(answer(Array(good.prefix(length)), ended).isEmpty, "\(length)") }
        #expect(answer(good + [0], ended).isEmpty)
        for cause: UInt32 in [0, ENTRALOGIN_END_DISABLED + 1, 0xffff] {
            let frame = Frame().u32(Self.uid).u16(cause).string(Self.name).bytes(ENTRALOGIN_END_ACCOUNT, reply: false)
            #expect(answer(frame, ended).isEmpty)
        }
        let root = Frame().u32(0).u16(ENTRALOGIN_END_COMMAND).string("root").bytes(ENTRALOGIN_END_ACCOUNT, reply: false)
        let never: entralogin_end_function_pointer = { _, _, _ in
            Issue.record("root's processes")
            return 0
        }
        #expect(answer(root, never) == Frame().u16(ENTRALOGIN_STATUS_FORBIDDEN).bytes(ENTRALOGIN_END_ACCOUNT))
        let blind: entralogin_end_function_pointer = { _, _, _ in -EACCES }
        #expect(answer(good, blind) == Frame().u16(ENTRALOGIN_STATUS_UNAVAILABLE).bytes(ENTRALOGIN_END_ACCOUNT))
    }
}
