// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Identity
import Testing
import UserRecords

/// What the directory would publish, in memory.
struct FakeAccounts: PublishedAccounts {
    var isSound = true
    var groups = SharedGroups(users: "entra_users", administrators: "entra_admins", enumerate: true)
    var all: [Account] = []
    var granted: Set<String> = []

    func account(named name: UserName) -> Account? { all.first { $0.name == name } }
    func account(uid: UInt32) -> Account? { all.first { $0.uid.number == uid } }
    func everybody() -> [Account] { all }
    func administrators() -> [Account] { all.filter { granted.contains($0.name.text) } }
    func isAdministrator(_ account: Account) -> Bool { granted.contains(account.name.text) }

    static func sample() throws -> FakeAccounts {
        let people = try ["alice", "bob"].enumerated().map { number, name in
            Account(
                name: try #require(UserName("\(name)@contoso.com")),
                uid: try #require(PosixID(user: PosixID.userRange.lowerBound + UInt32(number))),
                displayName: number == 0 ? "Alice \"A\" Adams" : "",
                home: "/home/\(name)@contoso.com",
                shell: "/bin/bash"
            )
        }
        return FakeAccounts(all: people, granted: ["alice@contoso.com"])
    }
}

struct UserDatabaseTests {
    private let alice = PosixID.userRange.lowerBound
    private let members: [String: JSON]

    init() { members = ["service": .string("io.entralogin")] }

    /// Every reply of a call, as text.
    private func ask(
        _ accounts: FakeAccounts,
        _ method: String,
        _ parameters: String = "",
        more: Bool = true,
        service: String = #""service":"io.entralogin""#
    ) throws -> [String] {
        let all = [service, parameters].filter { !$0.isEmpty }.joined(separator: ",")
        let text = #"{"method":"io.systemd.UserDatabase.\#(method)","parameters":{\#(all)},"more":\#(more)}"#
        return replies(accounts, text)
    }

    private func replies(_ accounts: FakeAccounts, _ text: String) -> [String] {
        guard let call = try? VarlinkCall(parsing: Array(text.utf8)) else { return ["no call: \(text)"] }
        var replies = UserDatabase(accounts, version: "1.2.3").answer(call)
        let bytes = replies.frames(about: 1 << 20)
        return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private func error(_ name: String) -> [String] {
        [#"{"error":"io.systemd.UserDatabase.\#(name)","parameters":{}}"#]
    }

    private func invalid(_ name: String) -> [String] {
        [#"{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"\#(name)"}}"#]
    }

    @Test("a user's record says what passwd(5) says, the disposition, the service and the shared groups")
    func user() throws {
        let expected =
            #"{"parameters":{"incomplete":false,"record":{"disposition":"regular","gid":\#(alice),"#
            + #""homeDirectory":"/home/alice@contoso.com","memberOf":["entra_users","entra_admins"],"#
            + #""realName":"Alice \"A\" Adams","service":"io.entralogin","shell":"/bin/bash","uid":\#(alice),"#
            + #""userName":"alice@contoso.com"}}}"#
        let accounts = try FakeAccounts.sample()
        #expect(try ask(accounts, "GetUserRecord", #""userName":"alice@contoso.com""#) == [expected])
        #expect(try ask(accounts, "GetUserRecord", #""uid":\#(alice)"#, more: false) == [expected])
        #expect(try ask(accounts, "GetUserRecord", #""uid":\#(alice),"userName":"alice@contoso.com""#) == [expected])
        let bob = try ask(accounts, "GetUserRecord", #""userName":"bob@contoso.com""#)
        #expect(bob.count == 1)
        #expect(bob.first?.contains("realName") == false)
        #expect(bob.first?.contains(#""memberOf":["entra_users"]"#) == true)
    }

    @Test(
        "P7: names and ids that are not published are not found",
        arguments: [
            #""userName":"carol@contoso.com""#, #""userName":"root""#, #""userName":"""#,
            #""userName":"ALICE@contoso.com""#, #""uid":0"#, #""uid":4294967295"#, #""uid":1879048192"#,
            #""uid":0,"userName":"root""#,
        ]
    )
    func unknownUser(_ parameters: String) throws {
        #expect(try ask(try .sample(), "GetUserRecord", parameters) == error("NoRecordFound"))
    }

    @Test("name and number that mean two records, or of which one means none, are in conflict")
    func conflict() throws {
        let accounts = try FakeAccounts.sample()
        for parameters in [
            #""userName":"alice@contoso.com","uid":\#(alice + 1)"#, #""userName":"alice@contoso.com","uid":0"#,
            #""userName":"root","uid":\#(alice)"#,
        ] {
            #expect(try ask(accounts, "GetUserRecord", parameters) == error("ConflictingRecordFound"))
        }
        let group = #""groupName":"entra_users","gid":\#(PosixID.administratorsGroup)"#
        #expect(try ask(accounts, "GetGroupRecord", group) == error("ConflictingRecordFound"))
    }

    @Test("private and shared groups are found by name and by number")
    func group() throws {
        let accounts = try FakeAccounts.sample()
        func record(_ name: String, _ gid: UInt32) -> [String] {
            [
                #"{"parameters":{"incomplete":false,"record":{"disposition":"regular","gid":\#(gid),"#
                    + #""groupName":"\#(name)","service":"io.entralogin"}}}"#
            ]
        }
        for (name, gid) in [
            ("alice@contoso.com", alice), ("entra_users", PosixID.usersGroup),
            ("entra_admins", PosixID.administratorsGroup),
        ] {
            #expect(try ask(accounts, "GetGroupRecord", #""groupName":"\#(name)""#) == record(name, gid))
            #expect(try ask(accounts, "GetGroupRecord", #""gid":\#(gid)"#) == record(name, gid))
        }
        for parameters in [#""groupName":"sudo""#, #""gid":0"#, #""groupName":"carol@contoso.com""#] {
            #expect(try ask(accounts, "GetGroupRecord", parameters) == error("NoRecordFound"))
        }
    }

    @Test("memberships of a user, of a group, of everybody; the last reply says that it is the last")
    func memberships() throws {
        let accounts = try FakeAccounts.sample()
        func member(_ user: String, _ group: String, last: Bool) -> String {
            let body = #""parameters":{"groupName":"\#(group)","userName":"\#(user)@contoso.com"}}"#
            return last ? "{" + body : #"{"continues":true,"# + body
        }
        #expect(
            try ask(accounts, "GetMemberships", #""userName":"alice@contoso.com""#)
                == [member("alice", "entra_users", last: false), member("alice", "entra_admins", last: true)]
        )
        #expect(
            try ask(accounts, "GetMemberships", #""groupName":"entra_users""#)
                == [member("alice", "entra_users", last: false), member("bob", "entra_users", last: true)]
        )
        let pair = #""groupName":"entra_admins","userName":"alice@contoso.com""#
        #expect(try ask(accounts, "GetMemberships", pair, more: false) == [member("alice", "entra_admins", last: true)])
        #expect(try ask(accounts, "GetMemberships").count == 3)
        for parameters in [
            #""userName":"lisa""#, #""groupName":"sudo""#, #""groupName":"alice@contoso.com""#,
            #""groupName":"entra_admins","userName":"bob@contoso.com""#,
        ] {
            #expect(try ask(accounts, "GetMemberships", parameters) == error("NoRecordFound"))
        }
    }

    @Test("everybody is listed only where the administrator allows it, and only to who takes several replies")
    func enumeration() throws {
        var accounts = try FakeAccounts.sample()
        #expect(try ask(accounts, "GetUserRecord").count == 2)
        #expect(try ask(accounts, "GetGroupRecord").count == 4)
        let expectedMore = [#"{"error":"org.varlink.service.ExpectedMore","parameters":{}}"#]
        for method in ["GetUserRecord", "GetGroupRecord", "GetMemberships"] {
            #expect(try ask(accounts, method, more: false) == expectedMore)
        }
        accounts.groups = SharedGroups(users: "entra_users", administrators: nil, enumerate: false)
        for method in ["GetUserRecord", "GetGroupRecord", "GetMemberships"] {
            #expect(try ask(accounts, method) == error("EnumerationNotSupported"))
        }
        #expect(try ask(accounts, "GetMemberships", #""groupName":"entra_users""#).count == 2)
    }

    @Test("P7: a shared group whose name a local group has is not there")
    func shadowedGroup() throws {
        var accounts = try FakeAccounts.sample()
        accounts.groups = SharedGroups(users: nil, administrators: nil, enumerate: true)
        #expect(try ask(accounts, "GetGroupRecord", #""groupName":"entra_users""#) == error("NoRecordFound"))
        #expect(try ask(accounts, "GetGroupRecord", #""gid":\#(PosixID.usersGroup)"#) == error("NoRecordFound"))
        let alice = #""userName":"alice@contoso.com""#
        #expect(try ask(accounts, "GetMemberships", alice) == error("NoRecordFound"))
        #expect(try ask(accounts, "GetUserRecord", alice).first?.contains("memberOf") == false)
    }

    @Test("another service, an unsound store, unknown and misshapen parameters have their errors")
    func errors() throws {
        var accounts = try FakeAccounts.sample()
        #expect(
            try ask(accounts, "GetUserRecord", service: #""service":"io.systemd.NameServiceSwitch""#)
                == error("BadService")
        )
        #expect(try ask(accounts, "GetUserRecord", service: "") == invalid("service"))
        #expect(try ask(accounts, "GetUserRecord", #""fuzzyNames":["a"]"#) == invalid("fuzzyNames"))
        #expect(try ask(accounts, "GetUserRecord", #""groupName":"a""#) == invalid("groupName"))
        for value in ["-1", "4294967296", "1.5", "\"1\"", "[]", "1e3"] {
            #expect(try ask(accounts, "GetUserRecord", #""uid":\#(value)"#) == invalid("uid"))
        }
        #expect(try ask(accounts, "GetUserRecord", #""userName":7"#) == invalid("userName"))
        accounts.isSound = false
        #expect(try ask(accounts, "GetUserRecord", #""uid":\#(alice)"#) == error("ServiceNotAvailable"))
    }

    @Test("the service tells what it is; other methods are not there; a call that takes no reply gets none")
    func service() throws {
        let accounts = try FakeAccounts.sample()
        let info = replies(accounts, #"{"method":"org.varlink.service.GetInfo"}"#)
        #expect(info.count == 1)
        #expect(info.first?.contains(#""interfaces":["io.systemd.UserDatabase","org.varlink.service"]"#) == true)
        #expect(info.first?.contains("1.2.3") == true)
        #expect(
            replies(accounts, #"{"method":"io.systemd.UserDatabase.Remove"}"#)
                == [
                    #"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"io.systemd.UserDatabase.Remove"}}"#
                ]
        )
        #expect(replies(accounts, #"{"method":"org.varlink.service.GetInfo","oneway":true}"#).isEmpty)
    }
}
