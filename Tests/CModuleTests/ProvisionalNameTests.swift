// SPDX-License-Identifier: Apache-2.0

import CClient
import CWire
import Glibc
import NSS
import PAM
import TestSupport
import Testing

/// The module's only state, the breaker, belongs to the process, so the tests run one at a time.
@Suite("NSS: names that the daemon is asked for", .serialized)
struct ProvisionalNameTests {
    static let name = "new.person@contoso.com"
    static let uid = ENTRALOGIN_ID_FIRST + 5_000

    init() { entralogin_nss_close_breaker() }

    /// The result of a lookup of `name` when the daemon gives this answer.
    private func ask(_ name: String = Self.name, answer: FakeDaemon.Answer) throws -> (Published.Passwd, FakeDaemon) {
        try inTime {
            let daemon = FakeDaemon { _ in answer }
            defer { daemon.stop() }
            let published = try Published()
            return (daemon.withServer { published.passwd(name, server: $0) }, daemon)
        }
    }

    /// The module gives up after its deadline and then asks nothing for a while. If this process did not run for that
    /// long, an answer says nothing about the module, and the test tries again.
    private func inTime<Answer>(_ body: () throws -> Answer) rethrows -> Answer {
        for _ in 0..<9 {
            let began = entralogin_now()
            let answer = try body()
            if entralogin_now() - began < UInt64(ENTRALOGIN_NSS_DEADLINE_MS) * 1_000_000 { return answer }
            entralogin_nss_close_breaker()
        }
        return try body()
    }

    @Test("A name that is not published gets the daemon's record; the question names the asking command")
    func provisional() throws {
        let frame = Frame.record(Self.name, uid: Self.uid).bytes(ENTRALOGIN_LOOK_UP_NAME)
        let (answer, daemon) = try ask(answer: .frame(frame))
        let record = try #require(answer.record)
        #expect(record.name == Self.name && record.uid == Self.uid && record.gid == Self.uid)
        #expect(record.password == "!*" && record.home == "/home/\(Self.name)" && record.shell == "/bin/bash")
        let question = Frame().string(Self.name).string(command).bytes(ENTRALOGIN_LOOK_UP_NAME, reply: false)
        #expect(daemon.requests == [question])
    }

    /// The calling thread's name (proc(5), /proc/thread-self/comm), which prctl(2) PR_GET_NAME gives too.
    private var command: String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let descriptor = open("/proc/thread-self/comm", O_RDONLY)
        let count = read(descriptor, &bytes, bytes.count)
        close(descriptor)
        return String(decoding: bytes.prefix(max(0, count - 1)), as: UTF8.self)
    }

    @Test("An enrolled name is answered without the daemon; a name that cannot be an Entra account's too")
    func notAsked() throws {
        for name in ["person0@contoso.com", "nobody", "NEW.person@contoso.com"] {
            #expect(try ask(name, answer: .close).1.requests.isEmpty)
        }
    }

    @Test("Neither a number, nor a group, nor an enumeration asks the daemon: only names of people")
    func onlyNames() throws {
        let daemon = FakeDaemon { _ in .close }
        defer { daemon.stop() }
        let published = try Published()
        daemon.withServer { server in
            published.withSources(server) { sources in
                var (error, cursor, person, group) = (Int32(0), UInt64(0), Glibc.passwd(), Glibc.group())
                var buffer = [CChar](repeating: 0, count: 4_096)
                let ids = [Self.uid, ENTRALOGIN_ID_LAST]
                for id in ids {
                    entralogin_nss_passwd_by_uid(&sources, id, &person, &buffer, buffer.count, &error)
                    entralogin_nss_group_by_gid(&sources, id, &group, &buffer, buffer.count, &error)
                }
                entralogin_nss_group_by_name(&sources, Self.name, &group, &buffer, buffer.count, &error)
                entralogin_nss_group_by_name(&sources, "other_group", &group, &buffer, buffer.count, &error)
                entralogin_nss_passwd_next(&sources, &cursor, &person, &buffer, buffer.count, &error)
            }
        }
        #expect(daemon.requests.isEmpty)
    }

    @Test("A provisional person is of our users' group and not an administrator")
    func initgroups() throws {
        let frame = Frame.record(Self.name, uid: Self.uid).bytes(ENTRALOGIN_LOOK_UP_NAME)
        let daemon = FakeDaemon { _ in .frame(frame) }
        defer { daemon.stop() }
        let published = try Published()
        published.writeGrants([Self.uid: .max])
        let answer = inTime {
            daemon.withServer { published.initgroups(Self.name, primary: Self.uid, server: $0) }
        }
        #expect(answer == (NSS_STATUS_SUCCESS, [ENTRALOGIN_ID_FIRST]))
    }

    @Test("NOT_FOUND is not found; every other status is unavailable, never to be tried again")
    func statuses() throws {
        let answer = { (status: UInt32) in
            try ask(answer: .frame(Frame().u16(status).bytes(ENTRALOGIN_LOOK_UP_NAME))).0
        }
        #expect(try answer(ENTRALOGIN_STATUS_NOT_FOUND) == .notFound)
        for status in 2...7 as ClosedRange<UInt32> { #expect(try answer(status) == .unavailable) }
        #expect(try answer(ENTRALOGIN_STATUS_OK) == .unavailable, "no fields")
        #expect(try ask(answer: .close).0 == .unavailable)
    }

    @Test("P7, P11: Whatever the daemon says: no uid 0, no foreign id, no other name, no field that ends early")
    func lies() throws {
        let opcode = ENTRALOGIN_LOOK_UP_NAME
        let record = { (uid: UInt32, gid: UInt32?) in Frame.record(Self.name, uid: uid, gid: gid).bytes(opcode) }
        let honest = record(Self.uid, nil)
        let long = String(repeating: "x", count: 1_100)
        let frames: [[UInt8]] = [
            record(0, nil), record(1_000, nil), record(Self.uid, 0), record(Self.uid, Self.uid + 1),
            record(ENTRALOGIN_ID_FIRST, nil), record(.max, nil),
            Frame.record("other@contoso.com", uid: Self.uid).bytes(opcode),
            Frame.record("NEW.person@contoso.com", uid: Self.uid).bytes(opcode),
            Frame.record(Self.name, uid: Self.uid, home: "/home/x:0:0").bytes(opcode),
            Frame.record(Self.name, uid: Self.uid, home: "/home/x\nroot::0:0").bytes(opcode),
            Frame.record(Self.name, uid: Self.uid, home: "home").bytes(opcode),
            Frame.record(Self.name, uid: Self.uid, home: "/\(long)").bytes(opcode),
            Frame.record(Self.name, uid: Self.uid).string("more").bytes(opcode),
            Frame.record(Self.name, uid: Self.uid).bytes(opcode, version: 2),
            Frame.record(Self.name, uid: Self.uid).bytes(ENTRALOGIN_AUTHORIZE),
            Array(honest.dropLast()), honest + [0], [UInt8](repeating: 0xff, count: 64),
            [UInt8](repeating: 0x41, count: 60_000),
        ]
        for frame in frames { #expect(try ask(answer: .frame(frame)).0 == .unavailable) }
        #expect(try ask(answer: .frame(honest)).0.status == NSS_STATUS_SUCCESS)
    }

    @Test("P9: A silent daemon costs 200 ms once; then nothing is asked for a while")
    func breaker() throws {
        let daemon = FakeDaemon { _ in .silence }
        defer { daemon.stop() }
        let published = try Published()
        let ask = { daemon.withServer { published.passwd(Self.name, server: $0) } }
        // For this time the module asks nothing. If this process did not run for longer, the test starts over.
        let rest = Duration.seconds(2)
        var (first, others, requests) = (Duration.zero, rest, 0)
        for _ in 0..<9 where others >= rest {
            entralogin_nss_close_breaker()
            let before = daemon.requests.count
            first = elapsed { #expect(ask() == .unavailable) }
            others = elapsed { for _ in 0..<100 { #expect(ask() == .unavailable) } }
            while daemon.requests.count == before { sched_yield() }  // the daemon's thread may be late, too
            requests = daemon.requests.count - before
        }
        #expect(first >= .milliseconds(200))
        #expect(requests == 1, "one look-up of 101 waited")
        #expect(published.passwd("person0@contoso.com").status == NSS_STATUS_SUCCESS, "enrolled names still resolve")
        entralogin_nss_close_breaker()
    }

    @Test("P8: Without a daemon a new name is unavailable at once, and the breaker stays closed")
    func noDaemon() throws {
        let published = try Published()
        let answer = published.folder("control.sock").withCString {
            published.passwd(Self.name, server: entralogin_server(path: $0, root: geteuid()))
        }
        #expect(answer == .unavailable)
        let frame = Frame.record(Self.name, uid: Self.uid).bytes(ENTRALOGIN_LOOK_UP_NAME)
        #expect(try ask(answer: .frame(frame)).0.status == NSS_STATUS_SUCCESS)
    }

    @Test("P10: Who is not root does not ask")
    func notRoot() throws {
        let daemon = FakeDaemon { _ in .close }
        defer { daemon.stop() }
        let published = try Published()
        let answer = daemon.withServer(root: geteuid() + 1) { published.passwd(Self.name, server: $0) }
        #expect(answer == .notFound && daemon.requests.isEmpty)
    }
}
