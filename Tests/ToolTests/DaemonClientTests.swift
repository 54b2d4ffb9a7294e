// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Synchronization
import TestSupport
import Testing
import Wire

@testable import entraloginctl

/// The tool's client against a listener in a temporary folder.
struct DaemonClientTests {
    private let folder = TemporaryFolder()

    private var path: String { folder("control.sock") }
    private var client: DaemonClient { DaemonClient(path: path, root: geteuid()) }

    /// Answers one request from another thread, then closes.
    private func serve(_ answer: @escaping @Sendable (Request) -> [UInt8]) throws -> NativeThread {
        let listener = try UnixListener(makingAt: path, mode: 0o600)
        let box = ListenerBox(listener: listener)
        return try NativeThread(named: "fake daemon") { box.answerOnce(answer) }
    }

    @Test("A document comes back whole")
    func document() throws {
        let thread = try serve { request in
            (try? Response.document(Array("{}".utf8)).encode(opcode: request.verb.rawValue)) ?? []
        }
        #expect(try client.ask(.statusReport) == .document(Array("{}".utf8)))
        thread.join()
    }

    @Test("What is not an answer is not believed")
    func garbage() throws {
        let thread = try serve { _ in Array("garbage, no frame".utf8) }
        #expect(throws: DaemonError.misread) { try client.ask(.statusReport) }
        thread.join()
    }

    @Test("Where nobody listens it says so, and what to do")
    func nobody() throws {
        let error = #expect(throws: DaemonError.self) { try client.ask(.flush) }
        #expect(error == .unreachable("nobody listens on \(path)"))
        #expect(error?.exitStatus == .unreachable)
        #expect(error?.remedy.contains("systemctl start entralogind") == true)
    }

    @Test(
        "A daemon that hangs is given up after two short attempts where systemd says that it runs or crashes, not where it starts"
    )
    func hangs() throws {
        let listener = try UnixListener(makingAt: path, mode: 0o600)
        let asked = Counter()
        var client = client
        client.state = {
            asked.increment()
            return ServiceState("ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nNRestarts=3\n")
        }
        for request in [Request.statusReport, .explain("alice@contoso.com")] {
            let error = #expect(throws: DaemonError.self) { try client.ask(request) }
            #expect(
                error?.text.contains("more than 2 s; its unit is activating (auto-restart) after exit-code") == true
            )
        }
        #expect(asked.value == 2)
        _ = consume listener
    }

    @Test("P10: a socket in a folder that others can write is not asked")
    func looseFolder() throws {
        let listener = try UnixListener(makingAt: path, mode: 0o600)
        chmod(folder.path, 0o777)
        let error = #expect(throws: DaemonError.self) { try client.ask(.flush) }
        #expect(error?.text.contains("is not the daemon's alone") == true)
        _ = consume listener
    }
}

/// Carries the listener to its thread.
private final class ListenerBox: Sendable {
    private let listener: UnixListener

    init(listener: consuming UnixListener) { self.listener = listener }

    func answerOnce(_ answer: (Request) -> [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var waiting = pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 5000) == 1, let connection = try? listener.accept() else { return }
        waiting.fd = connection.descriptor
        guard poll(&waiting, 1, 5000) == 1, case .message(let size)? = try? connection.receive(into: &buffer),
            let request = try? Request(frame: Array(buffer[..<size]))
        else { return }
        try? connection.send(answer(request))
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func increment() { count.withLock { $0 += 1 } }
}
