// SPDX-License-Identifier: Apache-2.0

import Authorization
import CClient
import CWire
import Glibc
import PAM
import Synchronization
import Testing
import Wire

@Suite("PAM: sudo's step-up", .serialized)
struct PAMStepUpTests {
    private func sudo(
        _ invoker: String? = FakeStack.name,
        asksAbout user: String = FakeStack.name,
        service: String = "sudo",
        typing: String? = "",
        terminal: String = "/dev/pts/0"
    ) -> FakeStack {
        FakeStack(service: service, user: user, invoking: invoker, typing: typing, terminal: terminal)
    }

    /// The daemon answers the first request with `first` and a code, later ones with `verdict`. sudo sets PAM_SILENT.
    private func run(
        _ stack: FakeStack,
        _ verdict: UInt32 = ENTRALOGIN_VERDICT_ALLOW,
        first: UInt32 = ENTRALOGIN_PROGRESS_PENDING,
        loginUID: String = "4294967295",
        arguments: Int32 = 0,
        onBegin: @escaping @Sendable () -> Void = {}
    ) -> (result: Int32, requests: [[UInt8]]) {
        let isFirst = Mutex(true)
        let daemon = FakeDaemon { _ in
            let begins = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            if begins { onBegin() }
            let now = begins ? first : verdict
            let isPending = now == ENTRALOGIN_PROGRESS_PENDING
            let frame = Frame().u16(ENTRALOGIN_STATUS_OK).u16(now).string(isPending ? "type ABCD" : "")
                .string(isPending ? "h1" : "").u32(isPending ? 300 : 0)
            return .frame(frame.bytes(begins ? ENTRALOGIN_BEGIN_DEVICE : ENTRALOGIN_AWAIT_DEVICE))
        }
        defer { daemon.stop() }
        let result = daemon.withServer {
            stack.run(.authenticate, $0, loginUID: loginUID, silent: true, arguments: arguments)
        }
        return (result, daemon.requests)
    }

    @Test("The invoker proves who they are, though sudo wants silence; then credentials, and no session")
    func good() throws {
        for service in ["sudo", "sudo-i"] {
            let stack = sudo(service: service)
            let seen = run(stack)
            #expect(seen.result == PAM_SUCCESS && stack.information == ["type ABCD"] && stack.lines.isEmpty)
            #expect(stack.questions.count == 1)
            guard case .beginDevice(let begin) = try Request(frame: try #require(seen.requests.first)) else {
                Issue.record("no beginning")
                return
            }
            #expect(begin.service == service && begin.user == FakeStack.name && begin.uid == FakeStack.uid)
            "/nowhere/control.sock".withCString {
                let nowhere = entralogin_server(path: $0, root: 0)
                #expect(stack.run(.setcred, nowhere) == PAM_SUCCESS)
                #expect(stack.run(.open, nowhere) == PAM_IGNORE && stack.run(.close, nowhere) == PAM_IGNORE)
            }
        }
    }

    @Test("P8: another user is not concerned, whatever the target: neither they nor the daemon are asked")
    func others() {
        for stack in [
            sudo("bob", asksAbout: "bob"), sudo("root", asksAbout: "root"), sudo("bob", asksAbout: FakeStack.name),
            sudo("directory@contoso.com", asksAbout: "directory@contoso.com"), sudo(nil, asksAbout: "bob"),
        ] {
            #expect(run(stack) == (PAM_IGNORE, []))
            #expect(stack.questions.isEmpty && stack.lines.isEmpty)
        }
    }

    @Test("sudo asks about somebody else than its invoker, has no terminal, or looks like sshd: refused, unasked")
    func impossible() {
        for (stack, word) in [
            (sudo(asksAbout: "root"), "targetpw"), (sudo(asksAbout: "bob"), "targetpw"),
            (sudo(asksAbout: "ghost@contoso.com"), "targetpw"), (sudo("ghost@contoso.com"), "targetpw"),
            (sudo(terminal: ""), "no terminal"),
            (
                FakeStack(service: "sudo", invoking: FakeStack.name, environment: "", typing: "", terminal: "pts/0"),
                "calls itself sshd"
            ),
        ] {
            #expect(run(stack) == (PAM_CRED_INSUFFICIENT, []))
            #expect(stack.questions.isEmpty && stack.lines.count == 1 && stack.lines[0].contains(word))
        }
        // With !pam_ruser in sudoers there is no PAM_RUSER: then the user who signed in counts.
        let unnamed = sudo(nil, asksAbout: "root")
        #expect(run(unnamed, loginUID: String(FakeStack.uid)) == (PAM_CRED_INSUFFICIENT, []))
        #expect(run(sudo(), arguments: 1) == (PAM_SERVICE_ERR, []))
    }

    @Test("There is no other way: whatever is typed, or nothing, is refused; only the daemon says that step-up is off")
    func closed() {
        let typed = sudo(typing: "a password")
        #expect(run(typed) == (PAM_AUTH_ERR, []) && typed.lines.count == 1)
        let nothing = sudo(typing: nil)
        #expect(run(nothing) == (PAM_AUTH_ERR, []) && nothing.lines.isEmpty)
        #expect(run(sudo(), ENTRALOGIN_VERDICT_DENY).result == PAM_AUTH_ERR)
        #expect(run(sudo(), ENTRALOGIN_VERDICT_UNDECIDABLE).result == PAM_AUTHINFO_UNAVAIL)
        #expect(run(sudo(), first: ENTRALOGIN_VERDICT_UNDECIDABLE).result == PAM_AUTHINFO_UNAVAIL)
        #expect(run(sudo(), first: ENTRALOGIN_VERDICT_IGNORE).result == PAM_IGNORE)
        // A failure removes the mark of an earlier proof.
        let stack = sudo()
        #expect(run(stack).result == PAM_SUCCESS)
        #expect(run(stack, ENTRALOGIN_VERDICT_DENY).result == PAM_AUTH_ERR)
        "/nowhere/control.sock".withCString {
            #expect(stack.run(.setcred, entralogin_server(path: $0, root: 0)) == PAM_IGNORE)
        }
    }

    @Test("A signal that would break a program off ends the wait, and the program gets it afterwards")
    func brokenOff() {
        let caught = CaughtInterrupt()
        defer { caught.end() }
        let thread = pthread_self()
        let seen = run(sudo(), ENTRALOGIN_PROGRESS_PENDING, onBegin: { pthread_kill(thread, SIGINT) })
        #expect(seen.result == PAM_ABORT && seen.requests.count == 1)
        #expect(CaughtInterrupt.count == 1)
    }
}

/// Counts SIGINT, and unblocks it for this thread: the test runner's threads have it blocked.
private struct CaughtInterrupt {
    nonisolated(unsafe) static var count: sig_atomic_t = 0
    private var before = sigset_t()

    init() {
        CaughtInterrupt.count = 0
        signal(SIGINT) { _ in CaughtInterrupt.count += 1 }
        var interrupt = sigset_t()
        sigemptyset(&interrupt)
        sigaddset(&interrupt, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &interrupt, &before)
    }

    func end() {
        withUnsafePointer(to: before) { _ = pthread_sigmask(SIG_SETMASK, $0, nil) }
        signal(SIGINT, SIG_DFL)
    }
}
