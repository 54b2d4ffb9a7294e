// SPDX-License-Identifier: Apache-2.0

import CClient
import CWire
import Glibc
import PAM
import Testing

@Suite("PAM: the session")
struct PAMSessionTests {
    private func run(
        _ stage: FakeStack.Stage,
        _ stack: FakeStack,
        answer: FakeDaemon.Answer,
        arguments: Int32 = 0
    ) -> (result: Int32, requests: [[UInt8]]) {
        let daemon = FakeDaemon { _ in answer }
        defer { daemon.stop() }
        return (daemon.withServer { stack.run(stage, $0, arguments: arguments) }, daemon.requests)
    }

    private func verdict(_ verdict: UInt32, _ text: String = "") -> FakeDaemon.Answer {
        .frame(Frame.verdict(verdict, text).bytes(ENTRALOGIN_OPEN_SESSION))
    }

    @Test("P4: open_session hands over the credential that was used, the record and the state of the home")
    func question() {
        let credential = "publickey ssh-rsa-cert-v01@openssh.com AAAA\n"
        let told = run(.open, FakeStack(environment: credential), answer: verdict(ENTRALOGIN_VERDICT_ALLOW))
        // This user's home does not exist on the machine that runs the tests, and /home may not exist either.
        let question = Frame().string("sshd").string(FakeStack.name).u32(FakeStack.uid).u32(FakeStack.uid)
            .string("/home/\(FakeStack.name)").u16(geteuid() == 0 ? ENTRALOGIN_HOME_ABSENT : ENTRALOGIN_HOME_STRANGE)
            .u32(ENTRALOGIN_NO_ID).string(credential).string("192.0.2.7")
        #expect(told.result == PAM_SUCCESS)
        #expect(told.requests == [question.bytes(ENTRALOGIN_OPEN_SESSION, reply: false)])
    }

    @Test("Each verdict has its result")
    func verdicts() {
        let results: [(UInt32, Int32)] = [
            (ENTRALOGIN_VERDICT_ALLOW, PAM_SUCCESS), (ENTRALOGIN_VERDICT_DENY, PAM_SESSION_ERR),
            (ENTRALOGIN_VERDICT_IGNORE, PAM_IGNORE), (ENTRALOGIN_VERDICT_UNDECIDABLE, PAM_SESSION_ERR),
        ]
        for (verdict, result) in results {
            let stack = FakeStack()
            #expect(run(.open, stack, answer: self.verdict(verdict, "why")).result == result)
            #expect(stack.lines == ["why"])
        }
    }

    @Test(
        "P8: No answer, an unknown name, another case, an argument, a credential too long: no session for an Entra user"
    )
    func refused() {
        let allow = verdict(ENTRALOGIN_VERDICT_ALLOW)
        #expect(run(.open, FakeStack(), answer: .close).result == PAM_SESSION_ERR)
        for user in ["ghost@contoso.com", "Alice@contoso.com"] {
            #expect(run(.open, FakeStack(user: user), answer: allow) == (PAM_SESSION_ERR, []))
        }
        #expect(run(.open, FakeStack(), answer: allow, arguments: 1) == (PAM_SESSION_ERR, []))
        let long = String(repeating: "x", count: Int(ENTRALOGIN_AUTH_INFO_MAX))
        #expect(run(.open, FakeStack(environment: long), answer: allow).result == PAM_SUCCESS)
        #expect(run(.open, FakeStack(environment: long + "x"), answer: allow) == (PAM_SESSION_ERR, []))
    }

    @Test("P8: Outside sshd, and for everybody else, the session is not entralogin's")
    func ignored() {
        let deny = verdict(ENTRALOGIN_VERDICT_DENY)
        for stack in [
            FakeStack(service: "cron"), FakeStack(service: "sudo"), FakeStack(user: "bob"), FakeStack(user: "root"),
        ] {
            #expect(run(.open, stack, answer: deny) == (PAM_IGNORE, []))
            #expect(run(.close, stack, answer: deny) == (PAM_IGNORE, []))
        }
    }

    @Test("close_session tells the daemon, and never keeps the modules behind it from closing")
    func closing() {
        let ok = FakeDaemon.Answer.frame(Frame().u16(ENTRALOGIN_STATUS_OK).bytes(ENTRALOGIN_CLOSE_SESSION))
        let told = run(.close, FakeStack(), answer: ok)
        let question = Frame().string(FakeStack.name).u32(FakeStack.uid)
        #expect(told == (PAM_SUCCESS, [question.bytes(ENTRALOGIN_CLOSE_SESSION, reply: false)]))
        #expect(run(.close, FakeStack(), answer: .close).result == PAM_IGNORE)
        #expect(run(.close, FakeStack(), answer: .frame([1])).result == PAM_IGNORE)
    }
}
