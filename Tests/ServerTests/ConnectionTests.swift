// SPDX-License-Identifier: Apache-2.0

import Authorization
import CWire
import Glibc
import LinuxSystem
import Server
import Testing
import Wire

/// All requests go to the control socket, which only root may use.
@Suite(.enabled(if: geteuid() == 0, "only root may ask on the control socket")) struct ConnectionTests {
    @Test("One request, one answer, the end", arguments: Verb.allCases)
    func oneRequest(_ verb: Verb) throws {
        let fixture = try Fixture()
        defer { fixture.stop() }
        let client = try fixture.connect()
        let request = Request.sample(verb)
        try client.send(try request.encode())
        let reply = try #require(try client.receive())
        #expect(Array(reply[6..<8]) == [UInt8(verb.rawValue >> 8) | 0x80, UInt8(verb.rawValue & 0xff)])
        #expect(try client.receive() == nil)
        #expect(fixture.services.calls.map(\.request) == [request])
        #expect(fixture.waitForConnections(0))
    }

    @Test("The caller's pid is the kernel's word")
    func pid() throws {
        let fixture = try Fixture()
        defer { fixture.stop() }
        let client = try fixture.connect()
        try client.send(try Request.sample(.openSession).encode())
        #expect(try client.receive() == Response.verdict(.allow).encode(opcode: Verb.openSession.rawValue))
        #expect(fixture.services.calls.map(\.pid) == [getpid()])
    }

    @Test("A second request on the same connection is not looked at")
    func secondRequest() throws {
        let fixture = try Fixture(FakeServices(gate: Gate()))
        defer { fixture.stop() }
        let client = try fixture.connect()
        try client.send(try Request.sample(.authorize).encode())
        try client.send(try Request.sample(.flush).encode())
        try #require(eventually { fixture.services.gate.waiting == 1 })
        fixture.services.gate.open()
        #expect(fixture.waitForConnections(0))
        #expect(fixture.services.calls.map(\.request) == [.sample(.authorize)])
        #expect(!client.isHeld())
    }

    @Test(
        "P13: garbage, half a header and nothing at all end the connection without an answer",
        arguments: [[UInt8](repeating: 0xff, count: 512), [0x45, 0x4e, 0x54, 0x4c], [0]]
    )
    func garbage(_ bytes: [UInt8]) throws {
        let fixture = try Fixture()
        defer { fixture.stop() }
        let client = try fixture.connect()
        try client.send(bytes)
        #expect(try client.receive() == nil)
        #expect(fixture.waitForConnections(0))
        #expect(try fixture.ask(.flush) == .done)
    }

    @Test("P13: a request longer than any frame is dropped, though its beginning is sound")
    func oversized() throws {
        let fixture = try Fixture()
        defer { fixture.stop() }
        let client = try fixture.connect()
        let size = Int(ENTRALOGIN_FRAME_MAX) + 1
        let frame = try Request.flush.encode()
        try client.send(frame + [UInt8](repeating: 0, count: size - frame.count))
        #expect(try client.receive() == nil)
        #expect(fixture.services.calls.isEmpty)
        #expect(fixture.waitForConnections(0))
    }

    @Test("The longest answer arrives whole")
    func longest() throws {
        let document = [UInt8](repeating: 0x20, count: Int(ENTRALOGIN_FRAME_MAX) - Int(ENTRALOGIN_FRAME_HEADER) - 6)
        let fixture = try Fixture(FakeServices(.init(report: .document(document))))
        defer { fixture.stop() }
        #expect(try fixture.ask(.statusReport) == .document(document))
    }

    @Test("A malformed request is told so and the connection ends")
    func malformed() throws {
        let fixture = try Fixture()
        defer { fixture.stop() }
        let client = try fixture.connect()
        try client.send(try Request.flush.encode() + [0])
        let reply = try #require(try client.receive())
        #expect(try Response(frame: reply, to: .flush) == .malformed)
        #expect(try client.receive() == nil)
    }

    @Test("A peer that goes away before its answer harms nobody")
    func gone() throws {
        let fixture = try Fixture(FakeServices(gate: Gate()))
        defer { fixture.stop() }
        do {
            let client = try fixture.connect()
            try client.send(try Request.sample(.authorize).encode())
            try #require(eventually { fixture.services.gate.waiting == 1 })
        }
        #expect(try fixture.ask(.flush) == .done)
        fixture.services.gate.open()
        #expect(fixture.waitForConnections(0))
        #expect(try fixture.ask(.flush) == .done)
    }

    @Test("A peer that connects and goes is forgotten at once")
    func goneSilently() throws {
        let fixture = try Fixture(limits: ConnectionLimits(timeout: .seconds(60)))
        defer { fixture.stop() }
        do {
            let client = try fixture.connect()
            try #require(fixture.waitForConnections(1))
            #expect(client.isHeld())
        }
        #expect(fixture.waitForConnections(0))
    }

    @Test("P9: a slow answer to some keeps nobody else waiting")
    func slowAnswers() throws {
        let fixture = try Fixture(FakeServices(gate: Gate()))
        defer { fixture.stop() }
        let slow = try (0..<50).map { _ in
            let client = try fixture.connect()
            try client.send(try Request.sample(.authorize).encode())
            return client
        }
        try #require(eventually { fixture.services.gate.waiting == 50 })
        for _ in 0..<100 { #expect(try fixture.ask(.sample(.lookUpName)) == .notFound) }
        #expect(slow.allSatisfy { $0.isHeld() })
        fixture.services.gate.open()
        for client in slow {
            let reply = try #require(try client.receive())
            #expect(try reply == Response.verdict(.allow).encode(opcode: Verb.authorize.rawValue))
        }
        #expect(fixture.waitForConnections(0))
    }
}
