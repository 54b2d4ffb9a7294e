// SPDX-License-Identifier: Apache-2.0

import Authorization
import CClient
import CWire
import Glibc
import PAM
import Synchronization
import Testing
import Wire

@Suite("PAM: sign-in with a code")
struct PAMDeviceTests {
    private typealias Run = (result: Int32, requests: [[UInt8]])

    /// Runs the auth stage with a daemon that gives the answers one after the other and repeats the last one.
    private func run(
        _ stack: FakeStack,
        _ answers: [FakeDaemon.Answer],
        arguments: Int32 = 0,
        silent: Bool = false,
        ownRealUID: Bool = false
    ) -> Run {
        let rest = Mutex(answers)
        let daemon = FakeDaemon { _ in
            rest.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? .close }
        }
        defer { daemon.stop() }
        let result = daemon.withServer {
            stack.run(.authenticate, $0, ownRealUID: ownRealUID, silent: silent, arguments: arguments)
        }
        return (result, daemon.requests)
    }

    private func setcred(_ stack: FakeStack) -> Int32 {
        "/nowhere/control.sock".withCString { stack.run(.setcred, entralogin_server(path: $0, root: 0)) }
    }

    private static func progress(
        _ verdict: UInt32,
        _ text: String = "",
        handle: String = "",
        seconds: UInt32 = 0,
        to opcode: UInt32 = ENTRALOGIN_AWAIT_DEVICE
    ) -> FakeDaemon.Answer {
        .frame(
            Frame().u16(ENTRALOGIN_STATUS_OK).u16(verdict).string(text).string(handle).u32(seconds).bytes(opcode)
        )
    }

    private static let begun = progress(
        ENTRALOGIN_PROGRESS_PENDING,
        "open https://x and type ABCD",
        handle: "h1",
        seconds: 300,
        to: ENTRALOGIN_BEGIN_DEVICE
    )

    private func login(_ user: String? = FakeStack.name, typing: String? = "") -> FakeStack {
        FakeStack(service: "login", user: user, typing: typing, terminal: "tty1")
    }

    @Test("The person wants a code, reads it, and is in once the daemon says so: two questions, as the header has them")
    func good() throws {
        let stack = login()
        let seen = run(stack, [Self.begun, Self.progress(ENTRALOGIN_VERDICT_ALLOW)])
        #expect(seen.result == PAM_SUCCESS)
        #expect(stack.lines.isEmpty && stack.information == ["open https://x and type ABCD"])
        #expect(stack.questions.count == 1 && stack.questions.first?.contains("Enter") == true)
        let home = "/home/\(FakeStack.name)"
        let begin = DeviceRequest(
            service: "login",
            user: FakeStack.name,
            uid: FakeStack.uid,
            home: home,
            terminal: "tty1",
            remoteHost: "192.0.2.7"
        )
        #expect(try seen.requests.map { try Request(frame: $0) } == [.beginDevice(begin), .awaitDevice(handle: "h1")])
        // From here on the module handles the session and the credentials.
        #expect(setcred(stack) == PAM_SUCCESS && setcred(login()) == PAM_IGNORE)
    }

    @Test("The daemon hears whose process it is, so that places are counted for the user who takes them")
    func realUID() throws {
        let seen = run(login(), [Self.begun, Self.progress(ENTRALOGIN_VERDICT_ALLOW)], ownRealUID: true)
        guard case .beginDevice(let request) = try Request(frame: #require(seen.requests.first)) else {
            Issue.record("another question")
            return
        }
        #expect(request.realUID == FakeStack.uid)
    }

    @Test("Pending is asked again, with the handle of the first answer, and never twice within a second")
    func pending() throws {
        let again = Self.progress(ENTRALOGIN_PROGRESS_PENDING, handle: "h2", seconds: 299)
        let stack = login()
        var seen: Run = (0, [])
        let took = elapsed { seen = run(stack, [Self.begun, again, Self.progress(ENTRALOGIN_VERDICT_ALLOW)]) }
        #expect(seen.result == PAM_SUCCESS && took >= .seconds(1))
        let handles = try seen.requests.dropFirst().map { try Request(frame: $0) }
        #expect(handles == [.awaitDevice(handle: "h1"), .awaitDevice(handle: "h1")])
    }

    @Test("Each verdict has its result, and the person reads the daemon's text, at the beginning as at the end")
    func verdicts() {
        let results: [(UInt32, Int32)] = [
            (ENTRALOGIN_VERDICT_DENY, PAM_AUTH_ERR), (ENTRALOGIN_VERDICT_IGNORE, PAM_IGNORE),
            (ENTRALOGIN_VERDICT_UNDECIDABLE, PAM_AUTHINFO_UNAVAIL),
        ]
        for (verdict, result) in results {
            let late = login()
            #expect(run(late, [Self.begun, Self.progress(verdict, "why")]).result == result)
            #expect(late.lines == ["why"])
            let early = login()
            let answer = Self.progress(verdict, "why", to: ENTRALOGIN_BEGIN_DEVICE)
            #expect(run(early, [answer]).result == result)
            #expect(early.lines == ["why"] && early.information.isEmpty)
            #expect(setcred(early) == PAM_IGNORE)
        }
    }

    @Test("P8: no answer, an answer to another question, a handle without a wait, a wait without a handle: no sign-in")
    func broken() {
        let wrong: [FakeDaemon.Answer] = [
            .close, .frame([1]), Self.progress(ENTRALOGIN_VERDICT_ALLOW),
            Self.progress(ENTRALOGIN_PROGRESS_PENDING, "x", handle: "", seconds: 300, to: ENTRALOGIN_BEGIN_DEVICE),
            Self.progress(ENTRALOGIN_PROGRESS_PENDING, "x", handle: "h", seconds: 0, to: ENTRALOGIN_BEGIN_DEVICE),
            Self.progress(ENTRALOGIN_VERDICT_ALLOW, handle: "h", to: ENTRALOGIN_BEGIN_DEVICE),
            Self.progress(5, to: ENTRALOGIN_BEGIN_DEVICE),
            Self.progress(
                ENTRALOGIN_PROGRESS_PENDING,
                handle: String(repeating: "h", count: 65),
                seconds: 9,
                to: ENTRALOGIN_BEGIN_DEVICE
            ),
            .frame(Frame.verdict(ENTRALOGIN_VERDICT_ALLOW).bytes(ENTRALOGIN_BEGIN_DEVICE)),
            .frame(Frame().u16(ENTRALOGIN_STATUS_UNAVAILABLE).bytes(ENTRALOGIN_BEGIN_DEVICE)),
        ]
        for answer in wrong {
            let stack = login()
            #expect(run(stack, [answer]).result == PAM_AUTHINFO_UNAVAIL)
            #expect(stack.lines.count == 1)
            let later = login()
            guard case .close = answer else { continue }
            #expect(run(later, [Self.begun, answer]).result == PAM_AUTHINFO_UNAVAIL)
        }
    }

    @Test(
        "P8: a user who wants another way, sits at no terminal, has no conversation, or is no Entra user: ignored, unasked"
    )
    func ignored() {
        let allow = [Self.begun, Self.progress(ENTRALOGIN_VERDICT_ALLOW)]
        let others: [(FakeStack, questions: Int)] = [
            (login(typing: "a password"), 1), (login(typing: nil), 1),
            (login("bob"), 0), (login("root"), 0), (login("directory@contoso.com"), 0), (login("ghost@contoso.com"), 0),
            (login("Alice@contoso.com"), 0),
            (FakeStack(service: "login", typing: "", terminal: ""), 0),
            (FakeStack(service: "sshd", typing: "", terminal: "ssh"), 0),
            (FakeStack(service: "ssh-other", environment: "", typing: "", terminal: "ssh"), 0),
        ]
        for (stack, questions) in others {
            let seen = run(stack, allow)
            #expect(seen == (PAM_IGNORE, []))
            #expect(stack.questions.count == questions && stack.lines.isEmpty && stack.information.isEmpty)
        }
        #expect(run(login(), allow, silent: true) == (PAM_IGNORE, []))
        #expect(run(login(), allow, arguments: 1) == (PAM_SERVICE_ERR, []))
    }

    @Test("P4: outside sshd a session is asked for by the user who signed in with a code, and by nobody else")
    func session() throws {
        let stack = login()
        #expect(run(stack, [Self.begun, Self.progress(ENTRALOGIN_VERDICT_ALLOW)]).result == PAM_SUCCESS)
        let daemon = FakeDaemon { _ in
            .frame(Frame.verdict(ENTRALOGIN_VERDICT_DENY, "no").bytes(ENTRALOGIN_OPEN_SESSION))
        }
        defer { daemon.stop() }
        #expect(daemon.withServer { stack.run(.open, $0) } == PAM_SESSION_ERR)
        let request = try Request(frame: try #require(daemon.requests.first))
        guard case .openSession(let session) = request else {
            Issue.record("\(request)")
            return
        }
        #expect(session.service == "login" && session.authenticationInfo.isEmpty && session.uid == FakeStack.uid)
        // A second sign-in that fails removes the first one's mark.
        #expect(run(stack, [.close]).result == PAM_AUTHINFO_UNAVAIL)
        #expect(daemon.withServer { stack.run(.open, $0) } == PAM_IGNORE)
        #expect(daemon.withServer { stack.run(.close, $0) } == PAM_IGNORE)
        #expect(daemon.requests.count == 1)
    }
}
