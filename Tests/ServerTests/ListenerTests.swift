// SPDX-License-Identifier: Apache-2.0

import Glibc
import LinuxSystem
import Server
import Testing
import Wire

/// All requests go to the control socket, which only root may use.
@Suite(.enabled(if: geteuid() == 0, "only root may ask on the control socket")) struct ListenerTests {
    @Test("Many connect, say nothing and stay: the next one's question is answered at once")
    func idle() async {
        await #expect(processExitsWith: .success) {
            try #require(Descriptors.limit(to: 2_200))
            let fixture = try Fixture(limits: ConnectionLimits(timeout: .seconds(60)))
            let idle = try (0..<1_000).map { _ in try fixture.connect() }
            try #require(fixture.waitForConnections(1_000))
            let began = SystemClock.sinceBoot()
            #expect(try fixture.ask(.flush) == .done)
            // If the server waited for one of them, it would wait until the timeout.
            #expect(SystemClock.sinceBoot() - began < .seconds(30))
            #expect(idle.allSatisfy { $0.isHeld() })
            fixture.stop()
        }
    }

    @Test("Above its limit newcomers wait in the backlog, and are served once there is room")
    func limit() throws {
        let fixture = try Fixture(limits: ConnectionLimits(connections: 3, timeout: .seconds(60)))
        defer { fixture.stop() }
        var held = try (0..<3).map { _ in try fixture.connect() }
        try #require(fixture.waitForConnections(3))
        let late = try fixture.connect()
        try late.send(try Request.flush.encode())
        // Longer than several of the listener's pauses.
        poll(nil, 0, 100)
        #expect(late.isHeld())
        #expect(fixture.listener.openConnections == 3)
        #expect(fixture.services.calls.isEmpty)
        held.removeLast()
        #expect(try late.receive() != nil)
        #expect(fixture.waitForConnections(2))
        #expect(held.count == 2)
    }

    @Test("Without a free descriptor connections wait, and are served once there is one")
    func noDescriptors() async {
        await #expect(processExitsWith: .success) {
            let fixture = try Fixture()
            #expect(try fixture.ask(.flush) == .done)
            try #require(Descriptors.limit(to: 100))
            var fillers: [Filler] = []
            while let filler = try? Filler() { fillers.append(filler) }
            try #require(!fillers.isEmpty)
            // One descriptor for the client, none for the server.
            fillers.removeLast()
            let client = try fixture.connect()
            try client.send(try Request.flush.encode())
            // Longer than several of the listener's pauses.
            poll(nil, 0, 100)
            #expect(client.isHeld())
            fillers.removeLast()
            #expect(try client.receive() != nil)
            #expect(fillers.count > 2)
            fixture.stop()
        }
    }

    @Test("Who says nothing is let go after the timeout, and not before")
    func silence() throws {
        let timeout = Duration.milliseconds(150)
        let fixture = try Fixture(limits: ConnectionLimits(timeout: timeout))
        defer { fixture.stop() }
        let began = SystemClock.sinceBoot()
        let first = try fixture.connect()
        let second = try fixture.connect()
        #expect(try first.receive() == nil)
        #expect(try second.receive() == nil)
        #expect(SystemClock.sinceBoot() - began >= timeout)
        #expect(fixture.waitForConnections(0))
        // The timer for timeouts ended with the last connection, and must start again.
        let third = try fixture.connect()
        #expect(try third.receive() == nil)
        #expect(fixture.waitForConnections(0))
    }

    @Test("Who is slow, but within the timeout, is answered, and its descriptor does not outlive the answer")
    func slow() throws {
        let fixture = try Fixture(limits: ConnectionLimits(timeout: .seconds(60)))
        defer { fixture.stop() }
        let client = try fixture.connect()
        try #require(fixture.waitForConnections(1))
        try client.send(try Request.flush.encode())
        #expect(try client.receive() != nil)
        #expect(try client.receive() == nil)
        #expect(fixture.waitForConnections(0))
    }

    @Test("The timeout does not end a question that is being answered")
    func timeoutAndAnswer() throws {
        // Long enough even if this thread is not scheduled between its connect and its request.
        let fixture = try Fixture(FakeServices(gate: Gate()), limits: ConnectionLimits(timeout: .seconds(2)))
        defer { fixture.stop() }
        let asking = try fixture.connect()
        try asking.send(try Request.sample(.authorize).encode())
        try #require(eventually { fixture.services.gate.waiting == 1 })
        let silent = try fixture.connect()
        #expect(try silent.receive() == nil)
        #expect(asking.isHeld())
        fixture.services.gate.open()
        #expect(try asking.receive() != nil)
    }

    @Test("After thousands of connections of every kind no descriptor is left open")
    func descriptors() async {
        await #expect(processExitsWith: .success) {
            let fixture = try Fixture(limits: ConnectionLimits(timeout: .seconds(5)))
            // Descriptors that are opened once, at first use, are not counted.
            #expect(try fixture.ask(.flush) == .done)
            let before = Descriptors.count()
            for round in 0..<2_000 {
                let client = try fixture.connect()
                switch round % 6 {
                case 0: #expect(try fixture.ask(.flush) == .done)
                case 1: try client.send([1, 2, 3])
                case 2: try client.send(try Request.sample(.authorize).encode())
                case 3: try client.send([UInt8](repeating: 0, count: 70_000))
                case 4: try client.send(try Request.sample(.lookUpName).encode())
                default: break
                }
            }
            #expect(fixture.waitForConnections(0))
            #expect(eventually { Descriptors.count() == before })
            fixture.stop()
        }
    }
}

/// Takes up one descriptor.
final class Filler {
    private let descriptor: Descriptor

    init() throws(Errno) { descriptor = try Descriptor.open("/dev/null", O_RDONLY) }
}
