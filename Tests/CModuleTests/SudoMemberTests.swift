// SPDX-License-Identifier: Apache-2.0

import CClient
import CWire
import Glibc
import PAM
import Sudo
import Synchronization
import TestSupport
import Testing

/// The lines that sudo's plugin showed to the user.
private let shown = Mutex<[String]>([])

@Suite("sudo's plugin: who is an administrator now", .serialized)
struct SudoMemberTests {
    private static let home = "/home/\(FakeStack.name)"

    /// Asks the plugin about a user whose passwd record has these fields; by default the same user calls sudo.
    private func ask(
        _ user: String = FakeStack.name,
        uid: UInt32 = FakeStack.uid,
        gid: UInt32? = nil,
        group: String = "entralogin:administrators",
        caller: UInt32 = FakeStack.uid,
        mapped: String? = nil,
        home: String = SudoMemberTests.home,
        answer: FakeDaemon.Answer = .frame(Frame.verdict(ENTRALOGIN_VERDICT_ALLOW).bytes(ENTRALOGIN_AUTHORIZE))
    ) -> (isMember: Bool, requests: [[UInt8]]) {
        let daemon = FakeDaemon { _ in answer }
        defer { daemon.stop() }
        shown.withLock { $0 = [] }
        callerNow.withLock { $0 = caller }
        let result = daemon.withServer { server in
            withRecord(user, uid, gid ?? uid, home) { record in
                withOptional(mapped) { list in
                    var operations = entralogin_sudo_world(
                        daemon: server,
                        mapped: list,
                        caller: { callerNow.withLock { $0 } },
                        say: { line in shown.withLock { $0.append(line.map { String(cString: $0) } ?? "") } }
                    )
                    return entralogin_sudo_is_member(&operations, user, group, record)
                }
            }
        }
        return (result == 1, daemon.requests)
    }

    private func request(_ service: String, _ user: String = FakeStack.name, uid: UInt32 = FakeStack.uid) -> [UInt8] {
        Frame().string(service).string(user).u32(uid).string(SudoMemberTests.home).string("").u32(ENTRALOGIN_NO_ID)
            .u16(ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP).string("").string("").bytes(ENTRALOGIN_AUTHORIZE, reply: false)
    }

    @Test("P2: The daemon is asked about the user, as about an administrator, and only its yes is one")
    func question() {
        let yes = ask()
        #expect(yes.isMember && yes.requests == [request("sudoers")])
        for verdict in [ENTRALOGIN_VERDICT_DENY, ENTRALOGIN_VERDICT_IGNORE, ENTRALOGIN_VERDICT_UNDECIDABLE, 4, 0xffff] {
            let frame = Frame.verdict(verdict, "Ask for the role").bytes(ENTRALOGIN_AUTHORIZE)
            #expect(!ask(answer: .frame(frame)).isMember, "\(verdict)")
        }
    }

    @Test("P2: A group of [Groups] is asked about by its name, and only a yes is one; who is in none reads nothing")
    func entraGroup() {
        let frame = Frame().string("sudoers").string(FakeStack.name).u32(FakeStack.uid).string(SudoMemberTests.home)
            .string("").u32(ENTRALOGIN_NO_ID).u16(ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP).string("developers_entra").string(
                ""
            )
        let yes = ask(group: "entralogin:developers_entra")
        #expect(yes.isMember && yes.requests == [frame.bytes(ENTRALOGIN_AUTHORIZE, reply: false)])
        for verdict in [ENTRALOGIN_VERDICT_DENY, ENTRALOGIN_VERDICT_IGNORE, ENTRALOGIN_VERDICT_UNDECIDABLE, 4, 0xffff] {
            let frame = Frame.verdict(verdict, "Ask for the role").bytes(ENTRALOGIN_AUTHORIZE)
            #expect(!ask(group: "entralogin:developers_entra", answer: .frame(frame)).isMember, "\(verdict)")
        }
        #expect(shown.withLock { $0 }.isEmpty)
    }

    @Test("A question about somebody else says so: nobody becomes anything by it")
    func listing() {
        #expect(ask(caller: 0).requests == [request("sudoers-list")])
    }

    @Test("P8: Local users, root, foreign names and numbers, another group: no, and the daemon hears nothing")
    func foreign() {
        let others: [(String, UInt32)] = [
            ("root", 0), ("lisa", 1000), (FakeStack.name, 1000), ("lisa", FakeStack.uid), ("", FakeStack.uid),
            (FakeStack.name, ENTRALOGIN_ADMINS_GID), (FakeStack.name, ENTRALOGIN_ID_LAST + 1),
            ("Alice@contoso.com", FakeStack.uid),
        ]
        for (user, uid) in others {
            let told = ask(user, uid: uid, caller: uid)
            #expect(!told.isMember && told.requests.isEmpty, "\(user) \(uid)")
        }
        for group in ["", "entra_admins", "entralogin", "entralogin:administrators ", "#1879048193"] {
            let told = ask(group: group)
            #expect(!told.isMember && told.requests.isEmpty, "\(group)")
        }
        for group in [
            "entralogin:", "entralogin:docker", "entralogin:Devs_entra",
            "entralogin:a_\(String(repeating: "b", count: 31))",
        ] {
            #expect(ask(group: group).requests.isEmpty, "\(group)")
        }
        #expect(ask(home: "/" + String(repeating: "x", count: 255)).requests.isEmpty)
        #expect(shown.withLock { $0 }.isEmpty)
    }

    @Test("P2: No answer, a broken answer, an error: no")
    func undecidable() {
        let opcode = ENTRALOGIN_AUTHORIZE
        let allow = Frame.verdict(ENTRALOGIN_VERDICT_ALLOW)
        var answers: [FakeDaemon.Answer] = [
            .close, .frame([0]), .frame(allow.bytes(ENTRALOGIN_OPEN_SESSION)), .frame(allow.bytes(opcode, version: 2)),
            .frame(allow.adding([0]).bytes(opcode)), .frame(Array(allow.bytes(opcode).dropLast())),
            .frame([UInt8](repeating: 0, count: 60_000)),
        ]
        answers += (1...7).map { .frame(Frame().u16($0).u16(0).string("").bytes(opcode)) }
        for answer in answers { #expect(!ask(answer: answer).isMember) }
    }

    @Test("P7: A mapped account counts by root's list, with name, uid and gid as they stand there, and not without it")
    func mapped() {
        let folder = TemporaryFolder()
        let line = "\(FakeStack.mapped):0b1ec700-0000-4000-8000-00000000a11c:\(FakeStack.mappedUID)\n"
        folder.write(Array("entralogin-adopted 1\n\(line)".utf8), to: "adopted")
        func told(_ uid: UInt32, gid: UInt32? = nil, list: String?) -> Int {
            ask(FakeStack.mapped, uid: uid, gid: gid, caller: uid, mapped: list).requests.count
        }
        #expect(told(FakeStack.mappedUID, list: folder("adopted")) == 1)
        #expect(told(FakeStack.mappedUID, gid: 5, list: folder("adopted")) == 0)
        #expect(told(FakeStack.mappedUID + 1, list: folder("adopted")) == 0)
        #expect(told(FakeStack.mappedUID, list: folder("none")) == 0)
        #expect(told(FakeStack.mappedUID, list: nil) == 0)
    }
}

/// The uid that started sudo.
private let callerNow = Mutex<UInt32>(0)

private func withOptional<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

private func withRecord<Result>(
    _ name: String,
    _ uid: UInt32,
    _ gid: UInt32,
    _ home: String,
    _ body: (UnsafePointer<passwd>) -> Result
) -> Result {
    name.withCString { name in
        home.withCString { home in
            var record = passwd()
            record.pw_name = UnsafeMutablePointer(mutating: name)
            record.pw_dir = UnsafeMutablePointer(mutating: home)
            record.pw_uid = uid
            record.pw_gid = gid
            return body(&record)
        }
    }
}
