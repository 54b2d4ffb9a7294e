// SPDX-License-Identifier: Apache-2.0

import Glibc
import Identity
import LinuxSystem
import Server
import Synchronization
import TestSupport
import Testing
import UserRecords

@Suite struct UserDatabaseListenerTests {
    private let info = Array(#"{"method":"org.varlink.service.GetInfo"}"#.utf8) + [0]

    private func everybody(more: Bool = true) -> [UInt8] {
        let parameters = #""parameters":{"service":"io.entralogin","groupName":"entra_users"}"#
        let text = #"{"method":"io.systemd.UserDatabase.GetMemberships",\#(parameters),"more":\#(more)}"#
        return Array(text.utf8) + [0]
    }

    @Test("several calls on one connection are answered in order, in whatever pieces they come")
    func calls() throws {
        let bench = try UserDatabaseBench(people: 3)
        defer { bench.stop() }
        let client = try bench.connect()
        for piece in (info + everybody() + info).chunks(of: 7) { try client.send(piece) }
        let replies = try client.replies(5)
        #expect(replies.count == 5)
        #expect(replies.first == replies.last)
        #expect(replies[1...3].map { $0.contains("continues") } == [true, true, false])
        #expect(client.isHeld())
    }

    @Test("a list of 100,000 is sent in pieces, and others are answered between them")
    func longList() throws {
        let bench = try UserDatabaseBench(people: 100_000)
        defer { bench.stop() }
        let slow = try bench.connect()
        try slow.send(everybody())
        // The slow one reads nothing yet: the list waits for it, nobody else does.
        for _ in 0..<20 {
            let other = try bench.connect()
            try other.send(info)
            #expect(try other.replies(1).count == 1)
        }
        #expect(slow.isReadable)
        let replies = try slow.replies(100_000)
        #expect(replies.count == 100_000)
        #expect(Set(replies).count == 100_000)
        #expect(replies.last?.contains("continues") == false)
    }

    @Test(
        "P13: what is no call ends the connection without an answer",
        arguments: [
            [UInt8](repeating: 0xff, count: 100) + [0], [0], Array("{}".utf8) + [0],
            [UInt8](repeating: 0x20, count: VarlinkCall.byteLimit + 1),
        ]
    )
    func garbage(bytes: [UInt8]) throws {
        let bench = try UserDatabaseBench(people: 1)
        defer { bench.stop() }
        let client = try bench.connect()
        try client.send(bytes)
        #expect(try client.replies(1) == [])
        #expect(bench.waitForConnections(0))
        let next = try bench.connect()
        try next.send(info)
        #expect(try next.replies(1).count == 1)
    }

    @Test("P13: whoever is above a limit is let go at once, and there is room again when somebody goes")
    func limits() throws {
        let patience = Duration.seconds(60)
        let bench = try UserDatabaseBench(
            people: 1,
            limits: UserDatabaseLimits(perUser: 2, root: 2, total: 3, patience: patience, lifetime: patience)
        )
        defer { bench.stop() }
        var held = try (0..<2).map { _ in try bench.connect() }
        #expect(bench.waitForConnections(2))
        #expect(try bench.connect().replies(1) == [])
        held.removeLast()
        #expect(bench.waitForConnections(1))
        let next = try bench.connect()
        try next.send(info)
        #expect(try next.replies(1).count == 1)
        #expect(held.allSatisfy { $0.isHeld() })
    }

    @Test("P13: who asks nothing, half a question or does not read is let go after the patience")
    func silence() throws {
        // Long enough for this thread to be kept from running between its connect and what it sends.
        let patience = Duration.seconds(2)
        let bench = try UserDatabaseBench(
            people: 20_000,
            limits: UserDatabaseLimits(patience: patience, lifetime: .seconds(600))
        )
        defer { bench.stop() }
        let silent = try bench.connect()
        let half = try bench.connect()
        try half.send(Array(info.dropLast(5)))
        let deaf = try bench.connect()
        try deaf.send(everybody())
        #expect(try silent.replies(1) == [])
        #expect(try half.replies(1) == [])
        #expect(bench.waitForConnections(0))
        #expect(try deaf.replies(20_000).count < 20_000)
    }

    @Test("P13: nobody stays longer than a lifetime, however busy")
    func lifetime() throws {
        let bench = try UserDatabaseBench(
            people: 1,
            limits: UserDatabaseLimits(patience: .seconds(600), lifetime: .milliseconds(200))
        )
        defer { bench.stop() }
        let busy = try bench.connect()
        // Ends at the first call that is not answered any more.
        while (try? busy.send(info)) != nil, try busy.replies(1).count == 1 {}
        #expect(bench.waitForConnections(0))
    }
}

/// A listener on a loop in a thread of its own, over so many people.
final class UserDatabaseBench: Sendable {
    private let loop: EventLoop
    private let listener: UserDatabaseListener
    private let path: String
    private let folder = TemporaryFolder()
    private let thread: NativeThread

    init(people: Int, limits: UserDatabaseLimits = UserDatabaseLimits()) throws {
        loop = try EventLoop()
        path = "\(folder.path)/userdb.sock"
        listener = UserDatabaseListener(
            try UnixListener(makingAt: path, mode: 0o600, type: .stream),
            loop: loop,
            database: UserDatabase(try Crowd(people), version: "1"),
            limits: limits
        )
        try listener.start()
        thread = try loop.runInThread()
    }

    func stop() {
        loop.stop()
        thread.join()
    }

    func connect() throws -> StreamClient { StreamClient(try UnixStream(connectingTo: path)) }

    func waitForConnections(_ count: Int) -> Bool { eventually { self.listener.openConnections == count } }
}

/// So many people, all published, in one group.
private struct Crowd: PublishedAccounts {
    let all: [Account]
    let isSound = true
    let groups = SharedGroups(users: "entra_users", administrators: "entra_admins", enumerate: true)

    init(_ count: Int) throws {
        all = try (0..<count).map { number in
            Account(
                name: try #require(UserName("user\(number)@contoso.com")),
                uid: try #require(PosixID(user: PosixID.userRange.lowerBound + UInt32(number))),
                displayName: "",
                home: "/home/user\(number)",
                shell: "/bin/sh"
            )
        }
    }

    func account(named name: UserName) -> Account? { all.first { $0.name == name } }
    func account(uid: UInt32) -> Account? { all.first { $0.uid.number == uid } }
    func everybody() -> [Account] { all }
    func administrators() -> [Account] { [] }
    func isAdministrator(_ account: Account) -> Bool { false }
}

/// A client that waits, for ten seconds at most.
final class StreamClient {
    private let link: UnixStream
    private var inbox: [UInt8] = []

    init(_ link: consuming UnixStream) { self.link = link }

    /// Sends all of it: what a test sends fits into the socket.
    func send(_ bytes: [UInt8]) throws { #expect(try link.send(bytes[...]) == bytes.count) }

    /// That many replies, or fewer where the server ends the connection.
    func replies(_ count: Int) throws -> [String] {
        var replies: [String] = []
        var start = 0
        while replies.count < count {
            if let end = inbox[start...].firstIndex(of: 0) {
                replies.append(String(decoding: inbox[start..<end], as: UTF8.self))
                start = end + 1
                continue
            }
            inbox.removeFirst(start)
            start = 0
            var wait = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&wait, 1, 10_000)
            guard case .bytes(let bytes) = try link.receive(limit: 1 << 16) else { return replies }
            inbox += bytes
        }
        inbox.removeFirst(start)
        return replies
    }

    var isReadable: Bool {
        var wait = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 10_000) == 1
    }

    /// True while the server neither answers nor closes.
    func isHeld() -> Bool {
        var wait = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&wait, 1, 0) == 0
    }
}

extension Array {
    fileprivate func chunks(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
