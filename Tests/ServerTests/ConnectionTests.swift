// SPDX-License-Identifier: Apache-2.0

import Authorization
import CWire
import Glibc
import LinuxSystem
import Server
import Testing
import Wire

/// Everything is asked on the control socket, which is root's.
@Suite(.enabled(if: geteuid() == 0, "only root may ask on the control socket")) struct ConnectionTests {
    @Test("One request, one answer, the end", arguments: Verb.allCases)
    func oneRequest(_ verb: Verb) throws {
        let bench = try Bench()
        defer { bench.stop() }
        let client = try bench.connect()
        let request = Request.sample(verb)
        try client.send(try request.encode())
        let reply = try #require(try client.receive())
        #expect(Array(reply[6..<8]) == [UInt8(verb.rawValue >> 8) | 0x80, UInt8(verb.rawValue & 0xff)])
        #expect(try client.receive() == nil)
        #expect(bench.services.calls.map(\.request) == [request])
        #expect(bench.waitForConnections(0))
    }

    @Test("The caller's pid is the kernel's word")
    func pid() throws {
        let bench = try Bench()
        defer { bench.stop() }
        let client = try bench.connect()
        try client.send(try Request.sample(.openSession).encode())
        #expect(try client.receive() == Response.verdict(.allow).encode(opcode: Verb.openSession.rawValue))
        #expect(bench.services.calls.map(\.pid) == [getpid()])
    }

    @Test("A second request on the same connection is not looked at")
    func secondRequest() throws {
        let bench = try Bench(FakeServices(gate: Gate()))
        defer { bench.stop() }
        let client = try bench.connect()
        try client.send(try Request.sample(.authorize).encode())
        try client.send(try Request.sample(.flush).encode())
        try #require(eventually { bench.services.gate.waiting == 1 })
        bench.services.gate.open()
        #expect(bench.waitForConnections(0))
        #expect(bench.services.calls.map(\.request) == [.sample(.authorize)])
        #expect(!client.isHeld())
    }

    @Test(
        "P13: garbage, half a header and nothing at all end the connection without an answer",
        arguments: [[UInt8](repeating: 0xff, count: 512), [0x45, 0x4e, 0x54, 0x4c], [0]]
    )
    func garbage(_ bytes: [UInt8]) throws {
        let bench = try Bench()
        defer { bench.stop() }
        let client = try bench.connect()
        try client.send(bytes)
        #expect(try client.receive() == nil)
        #expect(bench.waitForConnections(0))
        #expect(try bench.ask(.flush) == .done)
    }

    @Test("P13: a request longer than any frame is dropped, though its beginning is sound")
    func oversized() throws {
        let bench = try Bench()
        defer { bench.stop() }
        let client = try bench.connect()
        let size = Int(ENTRALOGIN_FRAME_MAX) + 1
        let frame = try Request.flush.encode()
        try client.send(frame + [UInt8](repeating: 0, count: size - frame.count))
        #expect(try client.receive() == nil)
        #expect(bench.services.calls.isEmpty)
        #expect(bench.waitForConnections(0))
    }

    @Test("The longest answer arrives whole")
    func longest() throws {
        let document = [UInt8](repeating: 0x20, count: Int(ENTRALOGIN_FRAME_MAX) - Int(ENTRALOGIN_FRAME_HEADER) - 6)
        let bench = try Bench(FakeServices(.init(report: .document(document))))
        defer { bench.stop() }
        #expect(try bench.ask(.statusReport) == .document(document))
    }

    @Test("A malformed request is told so and the connection ends")
    func malformed() throws {
        let bench = try Bench()
        defer { bench.stop() }
        let client = try bench.connect()
        try client.send(try Request.flush.encode() + [0])
        let reply = try #require(try client.receive())
        #expect(try Response(frame: reply, to: .flush) == .malformed)
        #expect(try client.receive() == nil)
    }

    @Test("A peer that goes away before its answer harms nobody")
    func gone() throws {
        let bench = try Bench(FakeServices(gate: Gate()))
        defer { bench.stop() }
        do {
            let client = try bench.connect()
            try client.send(try Request.sample(.authorize).encode())
            try #require(eventually { bench.services.gate.waiting == 1 })
        }
        #expect(try bench.ask(.flush) == .done)
        bench.services.gate.open()
        #expect(bench.waitForConnections(0))
        #expect(try bench.ask(.flush) == .done)
    }

    @Test("A peer that connects and goes is forgotten at once")
    func goneSilently() throws {
        let bench = try Bench(limits: ConnectionLimits(timeout: .seconds(60)))
        defer { bench.stop() }
        do {
            let client = try bench.connect()
            try #require(bench.waitForConnections(1))
            #expect(client.isHeld())
        }
        #expect(bench.waitForConnections(0))
    }

    @Test("P9: a slow answer to some keeps nobody else waiting")
    func slowAnswers() throws {
        let bench = try Bench(FakeServices(gate: Gate()))
        defer { bench.stop() }
        let slow = try (0..<50).map { _ in
            let client = try bench.connect()
            try client.send(try Request.sample(.authorize).encode())
            return client
        }
        try #require(eventually { bench.services.gate.waiting == 50 })
        for _ in 0..<100 { #expect(try bench.ask(.sample(.lookUpName)) == .notFound) }
        #expect(slow.allSatisfy { $0.isHeld() })
        bench.services.gate.open()
        for client in slow {
            let reply = try #require(try client.receive())
            #expect(try reply == Response.verdict(.allow).encode(opcode: Verb.authorize.rawValue))
        }
        #expect(bench.waitForConnections(0))
    }
}
