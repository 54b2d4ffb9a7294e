// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import CClient
import CWire
import Glibc
import Identity
import NSS
import PAM
import TestSupport
import Testing

/// Mapped accounts: local accounts that root's list makes Entra accounts (entralogin_mapped.h).
@Suite("P7: Mapped accounts")
struct MappedTests {
    private static let name = FakeStack.mapped
    private static let uid = FakeStack.mappedUID
    private static let other = "zoe@contoso.com:0b1ec700-0000-4000-8000-0000000000ff:1999"
    private static let line = "\(name):0b1ec700-0000-4000-8000-000000000001:\(uid)"

    private static func list(_ lines: String...) -> String {
        ([ENTRALOGIN_MAPPED_FIRST_LINE] + lines).map { $0 + "\n" }.joined()
    }

    // MARK: The list

    private func look(_ bytes: [UInt8], _ name: String = name, _ uid: UInt32 = uid, mode: mode_t = 0o644) -> [UInt32] {
        let folder = TemporaryFolder()
        folder.write(bytes, to: "adopted")
        chmod(folder("adopted"), mode)
        let byName = entralogin_mapped(folder("adopted"), geteuid(), name, uid, uid)
        return [byName.rawValue, entralogin_mapped_number(folder("adopted"), geteuid(), uid, nil).rawValue]
    }

    private func look(_ text: String) -> [UInt32] { look(Array(text.utf8)) }

    private let mapped = [UInt32](repeating: ENTRALOGIN_MAPPED.rawValue, count: 2)
    private let unsound = [UInt32](repeating: ENTRALOGIN_MAPPING_UNSOUND.rawValue, count: 2)
    private let absent = [UInt32](repeating: ENTRALOGIN_NOT_MAPPED.rawValue, count: 2)

    @Test("A user who stands in a sound list once, with that number, is mapped")
    func sound() {
        #expect(look(Self.list(Self.line)) == mapped)
        #expect(look(Self.list(Self.other, Self.line)) == mapped)
        #expect(look(Self.list(Self.other)) == absent)
        #expect(look(Self.list()) == absent && look("") == absent)
        let folder = TemporaryFolder()
        errno = 77
        #expect(entralogin_mapped(folder("none"), geteuid(), Self.name, Self.uid, Self.uid) == ENTRALOGIN_NOT_MAPPED)
        #expect(entralogin_mapped(nil, 0, Self.name, Self.uid, Self.uid) == ENTRALOGIN_NOT_MAPPED)
        #expect(errno == 77)
        // The path exists, but it is a folder and cannot be read.
        let strange = entralogin_mapped(folder.path, geteuid(), Self.name, Self.uid, Self.uid)
        #expect(strange == ENTRALOGIN_MAPPING_UNSOUND)
        #expect(entralogin_mapped_number(folder.path, geteuid(), Self.uid, nil) == ENTRALOGIN_NOT_MAPPED)
    }

    @Test("A list in which anything is wrong maps nobody, and a user whom it names is not let pass for another")
    func damaged() {
        let header = ENTRALOGIN_MAPPED_FIRST_LINE
        let good = Self.list(Self.other, Self.line)
        var texts = [
            good.replacing(header, with: "entralogin-adopted 2"), Self.line + "\n" + Self.line + "\n", good + "\n",
            Self.list(Self.line, "# a comment"), Self.list(Self.line, "x"), Self.list(Self.line, Self.line),
            Self.list(Self.line, Self.other.replacing("1999", with: "\(Self.uid)")), String(good.dropLast()),
            Self.list(Self.line, Self.other + ":"), Self.list(Self.line, Self.other.replacing("1999", with: "01999")),
            Self.list(Self.line, Self.other.replacing("0b1", with: "0B1")),
            Self.list(Self.line, Self.other.replacing("zoe", with: "Zoe")),
            Self.list(Self.line, String(repeating: "x", count: 5_000)), Self.list(Self.line, "a\0b"),
        ]
        let first = ENTRALOGIN_ID_FIRST + ENTRALOGIN_GROUP_IDS
        for uid in ["0", "999", "65534", "65535", "4294967295", "4294967296", "\(first)", "-1", "", "1x"] {
            texts.append(Self.list(Self.line, Self.other.replacing("1999", with: uid)))
        }
        for text in texts {
            #expect(look(text) == unsound, "\(text.prefix(200))")
            #expect((try? MappingList(parsing: Array(text.utf8))) == nil, "the daemon: \(text.prefix(200))")
        }
        #expect(look(Array(good.utf8), mode: 0o664) == unsound && look(Array(good.utf8), mode: 0o646) == unsound)
        let folder = TemporaryFolder()
        folder.write(Array(good.utf8), to: "adopted")
        let asked = entralogin_mapped(folder("adopted"), geteuid() + 1, Self.name, Self.uid, Self.uid)
        #expect(asked == ENTRALOGIN_MAPPING_UNSOUND, "another owner")
    }

    @Test("Another number, or a gid that is another, is no agreement; the limits hold")
    func disagreement() {
        let bytes = Array(Self.list(Self.line).utf8)
        #expect(look(bytes, Self.name, 1_002)[0] == ENTRALOGIN_MAPPING_UNSOUND.rawValue)
        #expect(look(bytes, Self.name, ENTRALOGIN_ANY_ID)[0] == ENTRALOGIN_MAPPED.rawValue)
        let folder = TemporaryFolder()
        folder.write(bytes, to: "adopted")
        let otherGroup = entralogin_mapped(folder("adopted"), geteuid(), Self.name, Self.uid, 100)
        #expect(otherGroup == ENTRALOGIN_MAPPING_UNSOUND)
        let people = (0..<ENTRALOGIN_MAPPED_MAX).map { number in
            "p\(number)@contoso.com:0b1ec700-0000-4000-8000-\(100_000_000_000 + Int(number)):\(5_000 + number)"
        }
        let most = Self.list() + people.dropLast().map { $0 + "\n" }.joined() + Self.line + "\n"
        #expect(look(most) == mapped)
        #expect(look(most + people[people.count - 1] + "\n") == unsound)
    }

    @Test("C and Swift agree about what the list is")
    func agreement() throws {
        let list = try MappingList(parsing: Array(Self.list(Self.other, Self.line).utf8))
        #expect(String(decoding: list.bytes, as: UTF8.self) == Self.list(Self.other, Self.line))
        #expect(look(list.bytes) == mapped)
        #expect(MappingList.path == ENTRALOGIN_MAPPED_LIST && MappingList.firstLine == ENTRALOGIN_MAPPED_FIRST_LINE)
        #expect(MappingList.peopleLimit == ENTRALOGIN_MAPPED_MAX && MappingList.mark == ENTRALOGIN_MAPPED_MARK)
        #expect(MappingList.byteLimit == ENTRALOGIN_MAPPED_SIZE_MAX)
    }

    // MARK: PAM

    private func ask(
        _ stack: FakeStack,
        at stage: FakeStack.Stage = .account,
        list: String?,
        answer: UInt32 = ENTRALOGIN_VERDICT_ALLOW,
        asMapped: Bool = false,
        loginUID: String = "4294967295"
    ) -> (result: Int32, lines: Int, requests: Int) {
        let opcode = stage == .open ? ENTRALOGIN_OPEN_SESSION : ENTRALOGIN_AUTHORIZE
        let daemon = FakeDaemon { _ in .frame(Frame.verdict(answer).bytes(opcode)) }
        defer { daemon.stop() }
        let result = daemon.withServer {
            stack.run(stage, $0, asMapped: asMapped, list: list, loginUID: loginUID)
        }
        return (result, stack.lines.count, daemon.requests.count)
    }

    private func stack(_ service: String = "sshd", _ user: String = name, invoking: String? = nil) -> FakeStack {
        let environment = service == "sshd" ? "publickey x\n" : nil
        return FakeStack(service: service, user: user, invoking: invoking, environment: environment)
    }

    @Test("Listed with that number: the daemon decides, with the number that the system knows")
    func oursByList() {
        #expect(ask(stack(), list: Self.list(Self.line)) == (PAM_SUCCESS, 0, 1))
        #expect(ask(stack(), list: Self.list(Self.line), answer: ENTRALOGIN_VERDICT_DENY).result == PAM_PERM_DENIED)
        #expect(ask(stack(), at: .open, list: Self.list(Self.line)) == (PAM_SUCCESS, 0, 1))
        let shadowed = "shadowed@contoso.com:0b1ec700-0000-4000-8000-000000000002:1002"
        #expect(ask(stack("cron", "shadowed@contoso.com"), list: Self.list(shadowed)) == (PAM_SUCCESS, 0, 1))
    }

    @Test("P4: A user who was mapped and is not any more is refused in every stage, never let pass as a local account")
    func mismatches() {
        let odd = "moved@contoso.com:0b1ec700-0000-4000-8000-000000000003:1999"
        for (user, list) in [
            (Self.name, nil), (Self.name, Self.list()), (Self.name, Self.list(Self.other)),
            ("moved@contoso.com", Self.list(odd)),
            ("shadowed@contoso.com", Self.list("shadowed@contoso.com:0b1ec700-0000-4000-8000-000000000002:1999")),
            (Self.name, Self.list(Self.line) + "damage\n"),
        ] {
            #expect(ask(stack("sshd", user), list: list) == (PAM_PERM_DENIED, 1, 0))
            #expect(ask(stack("sshd", user), at: .open, list: list) == (PAM_SESSION_ERR, 1, 0))
            #expect(ask(stack("sshd", user), at: .close, list: list) == (PAM_IGNORE, 0, 0))
            #expect(ask(stack("sudo", "root", invoking: user), list: list) == (PAM_PERM_DENIED, 1, 0))
        }
    }

    @Test("P4: Where the daemon does not know a mapped account as one, the answer is no")
    func neverIgnored() {
        let ignore = ENTRALOGIN_VERDICT_IGNORE
        let list = Self.list(Self.line)
        #expect(ask(stack(), list: list, answer: ignore) == (PAM_PERM_DENIED, 1, 1))
        #expect(ask(stack(), at: .open, list: list, answer: ignore) == (PAM_SESSION_ERR, 1, 1))
        #expect(ask(stack("sudo", "root", invoking: Self.name), list: list, answer: ignore) == (PAM_PERM_DENIED, 1, 1))
    }

    @Test("Who asks for another's rights is known by the number: the process's, or the sign-in's")
    func invokers() {
        let list = Self.list(Self.line)
        for service in ["su", "sudo", "polkit-1"] {
            #expect(ask(stack(service, "root"), list: list, asMapped: true) == (PAM_SUCCESS, 0, 1))
            #expect(ask(stack(service, "root"), list: list, loginUID: "\(Self.uid)") == (PAM_SUCCESS, 0, 1))
            #expect(ask(stack(service, "root"), list: list + "damage\n", asMapped: true) == (PAM_PERM_DENIED, 1, 0))
        }
        // root in a shell that the user opened; and a service that gives no higher rights.
        #expect(ask(stack("su", "bob", invoking: "root"), list: list, loginUID: "\(Self.uid)") == (PAM_IGNORE, 0, 0))
        #expect(ask(stack("cron", "bob"), list: list, loginUID: "\(Self.uid)") == (PAM_IGNORE, 0, 0))
    }

    @Test("P8: Local users of any shape whom no list names are not affected, whatever the list is")
    func foreign() {
        for list in [nil, Self.list(Self.line), "damage", Self.list(Self.line) + "damage\n"] {
            for user in ["local@contoso.com", "directory@contoso.com", "bob", "root"] {
                for service in ["sshd", "su", "sudo", "cron"] {
                    #expect(ask(stack(service, user), list: list) == (PAM_IGNORE, 0, 0), "\(user) \(service)")
                }
            }
        }
    }

    // MARK: The name service

    /// Published accounts in which account 1 is mapped and has an administrator's grant.
    private func published() throws -> (Published, MappedAccountRecord) {
        let second = Published.account(1)
        let mapped = Account(
            name: second.name,
            uid: second.uid,
            displayName: "",
            home: second.home,
            shell: second.shell,
            mappedUID: Self.uid
        )
        let published = try Published(
            of: [Published.account(0), mapped, Published.account(2)],
            administrators: [1: UInt64(1) << 40]
        )
        return (published, MappedAccountRecord(name: second.name.text, number: second.uid.number))
    }

    private struct MappedAccountRecord {
        let name: String
        let number: UInt32
        var line: String { "\(name):0b1ec700-0000-4000-8000-000000000001:\(FakeStack.mappedUID)" }
    }

    private static let groups = [ENTRALOGIN_USERS_GID, ENTRALOGIN_ADMINS_GID]

    private func groups(_ published: Published, _ name: String, _ primary: UInt32) -> [UInt32] {
        "/nonexistent/control.sock".withCString {
            published.initgroups(name, primary: primary, server: entralogin_server(path: $0, root: geteuid())).groups
        }
    }

    @Test("Their record is the local files'; the groups are entralogin's, where root's list says so, too")
    func nameService() throws {
        let (published, person) = try published()
        #expect(published.passwd(person.name) == .notFound && published.passwd(uid: person.number) == .notFound)
        #expect(published.group(person.name) == .notFound && published.group(gid: person.number) == .notFound)
        #expect(groups(published, person.name, Self.uid) == [], "no list")
        published.writeList([Self.other])
        #expect(groups(published, person.name, Self.uid) == [], "not in the list")
        published.writeList([person.line])
        #expect(groups(published, person.name, Self.uid) == Self.groups)
        for primary in [person.number, 0, 1_002] {
            #expect(groups(published, person.name, primary) == [], "\(primary)")
        }
        #expect(groups(published, person.name, .max) == Self.groups, "nscd asks without one")
        published.writeList([person.line, "damage"])
        #expect(groups(published, person.name, Self.uid) == [], "a damaged list")
    }

    @Test("Nobody lists them a second time")
    func members() throws {
        let (published, person) = try published()
        var (cursor, names): (UInt64, [String]) = (0, [])
        while let record = published.nextPasswd(&cursor).record { names.append(record.name) }
        #expect(names == [Published.account(0).name.text, Published.account(2).name.text])
        (cursor, names) = (0, [])
        while let record = published.nextGroup(&cursor).record { names.append(record.name) }
        #expect(names.count == 4 && !names.contains(person.name))
    }
}
