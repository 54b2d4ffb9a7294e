// SPDX-License-Identifier: Apache-2.0

import AccountDirectory
import CClient
import CSnapshot
import CWire
import Glibc
import Identity
import PAM
import Testing

/// Uids that two accounts may have: a uid of another directory in entralogin's id range (number.c), and the uid of a
/// mapped account that an administrator gave to another account.
@Suite("P8: PAM and numbers of others")
struct PAMNumberTests {
    private typealias Caller = @convention(c) () -> uid_t
    private static let root: Caller = { 0 }
    private static let theirs: Caller = { FakeStack.theirs.uid }
    private static let joe: Caller = { FakeStack.joe.uid }

    private func ask(
        _ stack: FakeStack,
        at stage: FakeStack.Stage = .account,
        as caller: Caller = root,
        accounts: [UInt8]? = nil,
        list: String? = nil,
        answer: UInt32 = ENTRALOGIN_VERDICT_DENY,
        lookUpNumber: FakeStack.NumberLookUp? = nil
    ) -> (result: Int32, requests: [[UInt8]]) {
        let opcode = stage == .open ? ENTRALOGIN_OPEN_SESSION : ENTRALOGIN_AUTHORIZE
        let daemon = FakeDaemon { _ in .frame(Frame.verdict(answer, "no").bytes(opcode)) }
        defer { daemon.stop() }
        let result = daemon.withServer {
            stack.run(
                stage,
                $0,
                realUID: caller,
                list: list,
                accounts: accounts,
                lookUpNumber: lookUpNumber,
                arguments: 0
            )
        }
        return (result, daemon.requests)
    }

    private func isIgnored(_ told: (result: Int32, requests: [[UInt8]])) -> Bool {
        told.result == PAM_IGNORE && told.requests.isEmpty
    }

    /// What the daemon publishes for accounts with these names and uids.
    private func published(_ accounts: (name: String, uid: UInt32)..., mapped: Bool = false) throws -> [UInt8] {
        let accounts = try accounts.map { name, uid in
            Account(
                name: try #require(UserName(name)),
                uid: try #require(PosixID(user: uid)),
                displayName: "",
                home: "/home/\(name)",
                shell: "/bin/sh",
                mappedUID: mapped ? 1_001 : nil
            )
        }
        return try AccountSnapshot.bytes(of: accounts, policy: AccountPolicy(), generation: 1, seed: 7)
    }

    private let users: [(name: String, uid: UInt32, caller: Caller)] = [
        (FakeStack.theirs.name, FakeStack.theirs.uid, theirs), (FakeStack.joe.name, FakeStack.joe.uid, joe),
    ]

    @Test("P8: Another directory's user with a number of the range is ignored everywhere, and the daemon hears nothing")
    func ignored() throws {
        for accounts in [nil, try published(), try published((FakeStack.name, FakeStack.uid))] {
            for user in users {
                for service in ["sshd", "cron", "login", "su", "systemd-user"] {
                    #expect(isIgnored(ask(FakeStack(service: service, user: user.name), accounts: accounts)))
                }
                for (service, target) in [("sudo", user.name), ("su", "bob"), ("su", "root"), ("polkit-1", "root")] {
                    let stack = FakeStack(service: service, user: target, invoking: user.name)
                    #expect(isIgnored(ask(stack, as: user.caller, accounts: accounts)), "\(service) of \(user.name)")
                    #expect(isIgnored(ask(stack, accounts: accounts)), "\(service), root by now")
                }
                let key = FakeStack(user: user.name, environment: "publickey ssh-ed25519 AAAA\n")
                #expect(isIgnored(ask(key, at: .open, accounts: accounts)))
                #expect(isIgnored(ask(key, at: .close, accounts: accounts)))
            }
            #expect(isIgnored(ask(FakeStack(user: "Joe@corp.example"), accounts: accounts)), "in another spelling")
        }
    }

    @Test("A number that only the daemon knows, of a mapped account, keeps no user of another directory away")
    func mappedNumber() throws {
        let accounts = try published((FakeStack.mapped, FakeStack.joe.uid), mapped: true)
        #expect(isIgnored(ask(FakeStack(user: FakeStack.joe.name), accounts: accounts)))
    }

    @Test("P5: In doubt it is an Entra account's: published, unreadable, known by another name, or not to be looked up")
    func doubt() throws {
        let other: [UInt8] = Array("not a snapshot".utf8)
        let own = try published(("alice@contoso.com", FakeStack.joe.uid))
        for accounts in [own, other, Array(own.dropLast(8)), []] {
            let su = FakeStack(service: "su", user: "bob", invoking: FakeStack.joe.name)
            #expect(ask(su, as: Self.joe, accounts: accounts).result == PAM_PERM_DENIED)
            #expect(ask(FakeStack(user: FakeStack.joe.name), accounts: accounts).result == PAM_PERM_DENIED)
        }
        #expect(ask(FakeStack(user: FakeStack.twin.name)).requests.count == 1, "two names for one number")
        let retired = FakeStack(service: "su", user: "bob", invoking: "old")
        #expect(ask(retired, as: { FakeStack.retired }).requests.count == 1, "a cache still has a retired account")
        let unknown: [FakeStack.NumberLookUp] = [{ _, _, _, _, _ in EIO }, { _, _, _, _, _ in 0 }]
        for lookUp in unknown {
            let su = FakeStack(service: "su", user: "bob", invoking: FakeStack.joe.name)
            #expect(ask(su, as: Self.joe, lookUpNumber: lookUp).requests.count == 1)
        }
    }

    @Test("P4: sudo, root by then, asked by a name that an Entra account has, too: that account is asked about")
    func publishedName() throws {
        let accounts = try published((FakeStack.joe.name, FakeStack.uid))
        let sudo = FakeStack(service: "sudo", user: "root", invoking: FakeStack.joe.name)
        #expect(ask(sudo, accounts: accounts).requests.count == 1)
        #expect(isIgnored(ask(FakeStack(user: FakeStack.joe.name), accounts: accounts)), "sshd has their number")
    }

    @Test("P4: Another directory's user who came with a certificate: the daemon hears that the number is another's")
    func certificate() {
        let credential = "publickey ssh-rsa-cert-v01@openssh.com AAAA\n"
        let stack = FakeStack(user: FakeStack.joe.name, environment: credential)
        let told = ask(stack, at: .open, answer: ENTRALOGIN_VERDICT_IGNORE)
        let start = Frame().string("sshd").string(FakeStack.joe.name).u32(ENTRALOGIN_ANOTHERS_ID)
        let body = start.bytes(ENTRALOGIN_OPEN_SESSION, reply: false).dropFirst(Int(ENTRALOGIN_FRAME_HEADER))
        #expect(told.result == PAM_IGNORE && told.requests.count == 1)
        #expect(told.requests.first?.dropFirst(Int(ENTRALOGIN_FRAME_HEADER)).starts(with: body) == true)
        let denied = FakeStack(user: FakeStack.joe.name, environment: credential)
        #expect(ask(denied, at: .open).result == PAM_SESSION_ERR)
    }

    @Test("P8: A mapped account's number that a local user has by now: theirs, and no longer the Entra account's")
    func givenAway() {
        func list(_ uid: UInt32, _ name: String = "gone@contoso.com") -> String {
            "\(ENTRALOGIN_MAPPED_FIRST_LINE)\n\(name):0b1ec700-0000-4000-8000-000000000001:\(uid)\n"
        }
        func su(_ caller: Caller, _ list: String) -> (result: Int32, requests: [[UInt8]]) {
            ask(FakeStack(service: "su", user: "bob", invoking: "newbie"), as: caller, list: list)
        }
        #expect(isIgnored(su({ 1_005 }, list(1_005))))
        #expect(su({ 1_006 }, list(1_006)).result == PAM_PERM_DENIED, "renamed, and still marked")
        #expect(su({ 1_007 }, list(1_007)).result == PAM_PERM_DENIED, "another name of our shape")
        #expect(su({ 1_008 }, list(1_008)).result == PAM_PERM_DENIED, "nobody's")
        #expect(su({ 1_001 }, list(1_001, FakeStack.mapped)).result == PAM_PERM_DENIED, "two records, one number")
        #expect(su({ 1_005 }, list(1_005, "broken@contoso.com")).result == PAM_PERM_DENIED, "cannot be looked up")
        #expect(su({ 1_005 }, list(1_005) + "damage\n").result == PAM_PERM_DENIED, "a list that is unsound")
    }
}
