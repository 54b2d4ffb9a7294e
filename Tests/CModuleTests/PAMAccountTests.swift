// SPDX-License-Identifier: Apache-2.0

import CClient
import CWire
import Glibc
import PAM
import TestSupport
import Testing

@Suite("PAM: the account stage")
struct PAMAccountTests {
    private typealias Verdict = (result: Int32, lines: [String], requests: [[UInt8]])

    private func ask(
        _ stack: FakeStack,
        answer: FakeDaemon.Answer = .frame(Frame.verdict(ENTRALOGIN_VERDICT_ALLOW).bytes(ENTRALOGIN_AUTHORIZE)),
        ownRealUID: Bool = false,
        loginUID: String = "4294967295",
        silent: Bool = false,
        arguments: Int32 = 0
    ) -> Verdict {
        let daemon = FakeDaemon { _ in answer }
        defer { daemon.stop() }
        let result = daemon.withServer {
            stack.run(.account, $0, ownRealUID: ownRealUID, loginUID: loginUID, silent: silent, arguments: arguments)
        }
        return (result, stack.lines, daemon.requests)
    }

    private func request(
        _ service: String,
        _ user: String,
        _ uid: UInt32,
        _ home: String,
        invoking: String = "",
        invokingUID: UInt32 = ENTRALOGIN_NO_ID,
        flags: UInt32 = 0
    ) -> [UInt8] {
        Frame().string(service).string(user).u32(uid).string(home).string(invoking).u32(invokingUID).u16(flags)
            .string("ssh").string("192.0.2.7").bytes(ENTRALOGIN_AUTHORIZE, reply: false)
    }

    @Test("The check's name leaves a mark and gets the answer of any unknown name; no other name leaves one")
    func probe() {
        for (arguments, mark) in [(Int32(0), "reached"), (1, "arguments")] {
            let stack = FakeStack(service: "sudo", user: ENTRALOGIN_PROBE_USER)
            let verdict = ask(stack, arguments: arguments)
            #expect(verdict.result != PAM_SUCCESS && verdict.result != PAM_IGNORE && verdict.requests.isEmpty)
            #expect(stack.variable(ENTRALOGIN_PROBE_MARK) == mark)
        }
        for name in [
            FakeStack.name, "lisa", "Entralogin-probe@entralogin.invalid", "entralogin-probe@entralogin.invalid2",
        ] {
            let stack = FakeStack(user: name)
            _ = ask(stack)
            #expect(stack.variable(ENTRALOGIN_PROBE_MARK) == nil)
        }
    }

    @Test("An Entra account is asked about, with everything the decision needs")
    func question() {
        let home = "/home/\(FakeStack.name)"
        let sshd = ask(FakeStack())
        #expect(sshd.result == PAM_SUCCESS && sshd.lines.isEmpty)
        #expect(sshd.requests == [request("sshd", FakeStack.name, FakeStack.uid, home, flags: ENTRALOGIN_PAM_IN_SSHD)])
        let cron = ask(FakeStack(service: "cron"))
        #expect(cron.requests == [request("cron", FakeStack.name, FakeStack.uid, home, flags: ENTRALOGIN_PAM_WAITS)])
        let renamed = ask(FakeStack(service: "ssh-other-port", environment: ""))
        #expect(renamed.requests.first?.contains(1 << 1) == true, "sshd by its environment, though empty")
        #expect(
            renamed.requests == [
                request("ssh-other-port", FakeStack.name, FakeStack.uid, home, flags: ENTRALOGIN_PAM_IN_SSHD)
            ]
        )
    }

    @Test("Each verdict has its result, and the person reads the daemon's text")
    func verdicts() {
        let results: [(UInt32, Int32)] = [
            (ENTRALOGIN_VERDICT_ALLOW, PAM_SUCCESS), (ENTRALOGIN_VERDICT_DENY, PAM_PERM_DENIED),
            (ENTRALOGIN_VERDICT_IGNORE, PAM_IGNORE), (ENTRALOGIN_VERDICT_UNDECIDABLE, PAM_AUTHINFO_UNAVAIL),
        ]
        for (verdict, result) in results {
            let frame = Frame.verdict(verdict, "Ask for the role. Correlation id 1").bytes(ENTRALOGIN_AUTHORIZE)
            let told = ask(FakeStack(), answer: .frame(frame))
            #expect(told.result == result && told.lines == ["Ask for the role. Correlation id 1"])
            #expect(ask(FakeStack(), answer: .frame(frame), silent: true).lines.isEmpty, "PAM_SILENT")
        }
        let bare = Frame.verdict(ENTRALOGIN_VERDICT_DENY).bytes(ENTRALOGIN_AUTHORIZE)
        #expect(ask(FakeStack(), answer: .frame(bare)).lines == ["entralogin: sign-in refused"])
    }

    @Test("P8: A local user, another directory's user, root: ignored, and the daemon hears nothing")
    func foreign() {
        for user in ["root", "bob", "unknown", "", "directory@contoso.com", "guest_x#EXT#@contoso.com", nil] {
            for service in ["sshd", "sudo", "cron", "su"] {
                let told = ask(FakeStack(service: service, user: user), arguments: 3)
                #expect(told.result == PAM_IGNORE && told.lines.isEmpty && told.requests.isEmpty)
            }
        }
    }

    @Test("P8: An Entra name that nobody knows, or cannot be looked up, is refused without the daemon")
    func unknown() {
        for user in ["ghost@contoso.com", "ALICE@CONTOSO.COM", "broken@contoso.com"] {
            let told = ask(FakeStack(user: user))
            #expect(told.result == PAM_USER_UNKNOWN && told.requests.isEmpty)
        }
    }

    @Test("P4: A name in another case than the record's is refused, where a name service folds it")
    func misspelt() {
        let told = ask(FakeStack(user: "Alice@contoso.com"))
        #expect(told.result == PAM_PERM_DENIED && told.requests.isEmpty)
        #expect(told.lines.count == 1 && told.lines[0].contains("lower-case"))
    }

    @Test("P8: No answer, a broken answer, an error: Entra users are refused, and told why")
    func undecidable() {
        let opcode = ENTRALOGIN_AUTHORIZE
        let allow = Frame.verdict(ENTRALOGIN_VERDICT_ALLOW)
        var answers: [FakeDaemon.Answer] = [
            .close, .frame([0]), .frame(allow.bytes(ENTRALOGIN_OPEN_SESSION)), .frame(allow.bytes(opcode, version: 2)),
            .frame(allow.adding([0]).bytes(opcode)), .frame(Array(allow.bytes(opcode).dropLast())),
            .frame(Frame.verdict(4).bytes(opcode)), .frame(Frame.verdict(0xff00).bytes(opcode)),
            .frame([UInt8](repeating: 0, count: 60_000)),
        ]
        answers += (1...7).map { .frame(Frame().u16($0).u16(0).string("").bytes(opcode)) }
        for answer in answers {
            let told = ask(FakeStack(), answer: answer)
            #expect(told.result == PAM_AUTHINFO_UNAVAIL && told.lines.count == 1)
            #expect(told.lines.first?.hasPrefix("entralogin: sign-in cannot be decided now") == true)
        }
        let stack = FakeStack()
        let nowhere = TemporaryFolder()
        let result = nowhere("control.sock").withCString {
            stack.run(.account, entralogin_server(path: $0, root: geteuid()))
        }
        #expect(result == PAM_AUTHINFO_UNAVAIL)
        #expect(stack.lines.first?.contains("entralogind does not answer") == true)
    }

    @Test("An argument is refused for Entra accounts")
    func arguments() {
        let told = ask(FakeStack(), arguments: 1)
        #expect(told.result == PAM_SERVICE_ERR && told.requests.isEmpty && told.lines.count == 1)
    }

    @Test("P12: The text that is shown has no control characters and an end")
    func text() {
        let hostile = "a\u{1b}[2J\nb\u{85}c\u{7f}é" + String(repeating: "x", count: 3_000)
        let frame = Frame.verdict(ENTRALOGIN_VERDICT_DENY, hostile).bytes(ENTRALOGIN_AUTHORIZE)
        let line = ask(FakeStack(), answer: .frame(frame)).lines.first ?? ""
        #expect(line.hasPrefix("a [2J b  c éxxx") && line.utf8.count == 1_024)
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) })
    }

    @Test("sudo to root by an Entra account is asked about: by PAM_RUSER, by the real uid, by the login's uid")
    func invoker() {
        let byName = ask(FakeStack(service: "sudo", user: "root", invoking: FakeStack.name))
        #expect(byName.result == PAM_SUCCESS)
        #expect(
            byName.requests == [
                request("sudo", "root", 0, "/root", invoking: FakeStack.name, invokingUID: FakeStack.uid)
            ]
        )
        let byUID = ask(FakeStack(service: "su", user: "bob", invoking: "bob"), ownRealUID: true)
        #expect(
            byUID.requests == [
                request("su", "bob", 1_000, "/home/bob", invoking: "bob", invokingUID: FakeStack.uid)
            ]
        )
        let byLogin = ask(FakeStack(service: "sudo", user: "root"), loginUID: "\(FakeStack.uid)")
        #expect(byLogin.requests == [request("sudo", "root", 0, "/root", invokingUID: FakeStack.uid)])
        let retired = ask(FakeStack(service: "sudo", user: "root", invoking: "ghost@contoso.com"))
        #expect(retired.requests == [request("sudo", "root", 0, "/root", invoking: "ghost@contoso.com")])
    }

    @Test("P8: root in a shell that an Entra user opened is root: su and cron there ask nobody")
    func rootShell() {
        let su = ask(FakeStack(service: "su", user: "bob", invoking: "root"), loginUID: "\(FakeStack.uid)")
        #expect(su.result == PAM_IGNORE && su.requests.isEmpty)
        let cron = ask(FakeStack(service: "cron", user: "bob"), loginUID: "\(FakeStack.uid)")
        #expect(cron.result == PAM_IGNORE && cron.requests.isEmpty)
        for garbage in ["", "x", "-1", "99999999999999999999", "1000"] {
            #expect(ask(FakeStack(service: "sudo", user: "root"), loginUID: garbage).result == PAM_IGNORE)
        }
    }
}
