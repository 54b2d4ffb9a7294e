// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import CWire
import Identity
import LinuxSystem
import Server
import Testing
import Wire

@Suite struct RequestRouterTests {
    static let helper: UInt32 = 987

    struct Silence: Error {}

    func frame(
        _ services: FakeServices,
        _ frame: [UInt8],
        uid: UInt32 = 0,
        on socket: SocketKind = .control
    ) async throws -> [UInt8] {
        let router = RequestRouter(
            policy: CallerPolicy(helperUID: RequestRouterTests.helper),
            services: services.routed
        )
        switch router.route(frame, from: PeerCredentials(pid: 4712, uid: uid, gid: 0), on: socket) {
        case .now(let reply): return reply
        case .later(let work): return await work()
        case .nothing: throw Silence()
        }
    }

    func reply(
        _ services: FakeServices,
        _ request: Request,
        uid: UInt32 = 0,
        on socket: SocketKind = .control
    ) async throws -> Response {
        let reply = try await frame(services, try request.encode(), uid: uid, on: socket)
        return try Response(frame: reply, to: request.verb)
    }

    @Test("Every verb reaches the service behind it, once, as it was asked", arguments: Verb.allCases)
    func routed(_ verb: Verb) async throws {
        let services = FakeServices(.init(name: .account(try account())))
        let request = Request.sample(verb)
        let frame = try await frame(services, try request.encode())
        let ofProcesses: Set<Verb> = [.authorize, .openSession, .closeSession, .beginDevice, .awaitDevice]
        #expect(services.calls == [.init(request: request, pid: ofProcesses.contains(verb) ? 4712 : nil)])
        let response: Response =
            switch verb {
            case .lookUpName: .account(try account())
            case .checkCertificate: .principal("alice@contoso.com")
            case .authorize, .openSession: .verdict(.allow)
            case .beginDevice, .awaitDevice: .progress(.pending(handle: "h", text: "t", seconds: 9))
            case .closeSession, .flush, .retire, .rebind, .rename, .setShell, .setHome, .lock, .unlock: .done
            case .statusReport, .users, .showUser, .explain, .testCertificate, .check, .sessions, .keys, .refreshKeys,
                .endSessions, .access, .settings, .add:
                .document(Array("{}".utf8))
            }
        #expect(try frame == response.encode(opcode: verb.rawValue))
    }

    @Test("P10: who may not ask is told so, and no service hears of it", arguments: Verb.allCases)
    func forbidden(_ verb: Verb) async throws {
        let services = FakeServices()
        for uid: UInt32 in [1000, RequestRouterTests.helper] {
            #expect(try await reply(services, .sample(verb), uid: uid) == .forbidden)
        }
        #expect(try await reply(services, .sample(verb), uid: 1000, on: .principals) == .forbidden)
        if verb != .checkCertificate {
            #expect(try await reply(services, .sample(verb), uid: 0, on: .principals) == .forbidden)
            #expect(
                try await reply(services, .sample(verb), uid: RequestRouterTests.helper, on: .principals) == .forbidden
            )
        }
        #expect(services.calls.isEmpty)
    }

    @Test("The helper's question is answered on its socket")
    func helper() async throws {
        let services = FakeServices()
        let response = try await reply(
            services,
            .sample(.checkCertificate),
            uid: RequestRouterTests.helper,
            on: .principals
        )
        #expect(response == .principal("alice@contoso.com"))
    }

    @Test("What is no frame gets no reply", arguments: [[], [0x45], [UInt8](repeating: 0x47, count: 64)])
    func notOurs(_ bytes: [UInt8]) async throws {
        let services = FakeServices()
        await #expect(throws: Silence.self) { _ = try await frame(services, bytes) }
        #expect(services.calls.isEmpty)
    }

    @Test("Another version of the protocol is named as such")
    func otherVersion() async throws {
        let services = FakeServices()
        var bytes = try Request.sample(.authorize).encode()
        bytes[5] = 2
        #expect(try Response(frame: try await frame(services, bytes), to: .authorize) == .version)
        #expect(services.calls.isEmpty)
    }

    @Test("P13: a cut, a lengthened and an unknown request are malformed; no service hears of them")
    func malformed() async throws {
        let services = FakeServices()
        for verb in Verb.allCases {
            let whole = try Request.sample(verb).encode()
            // Left-over bytes, announced in the header.
            var longer = whole + [0]
            let length = longer.count - Int(ENTRALOGIN_FRAME_HEADER)
            longer.replaceSubrange(8..<12, with: [0, 0, UInt8(length >> 8), UInt8(length & 0xff)])
            #expect(try Response(frame: try await frame(services, longer), to: verb) == .malformed, "\(verb)")
            // Left-over bytes that are not announced, and a missing one.
            #expect(try Response(frame: try await frame(services, whole + [0]), to: verb) == .malformed, "\(verb)")
            guard length > 1 else { continue }
            #expect(
                try Response(frame: try await frame(services, whole.dropLast()), to: verb) == .malformed,
                "\(verb)"
            )
        }
        var unknown = try Request.flush.encode()
        unknown.replaceSubrange(6..<8, with: [0x7f, 0x01])
        let reply = try await frame(services, unknown)
        #expect(reply.suffix(2) == [0, UInt8(ENTRALOGIN_STATUS_MALFORMED)])
        #expect(Array(reply[6..<8]) == [0xff, 0x01])
        #expect(services.calls.isEmpty)
    }

    @Test("An answer that is too long for a frame becomes \"unavailable\", never a cut one")
    func tooLong() async throws {
        let limit = Int(ENTRALOGIN_FRAME_MAX) - Int(ENTRALOGIN_FRAME_HEADER) - 6
        let longest = [UInt8](repeating: 0x20, count: limit)
        #expect(try await reply(FakeServices(.init(report: .document(longest))), .statusReport) == .document(longest))
        let services = FakeServices(.init(report: .document(longest + [0x20])))
        #expect(try await reply(services, .statusReport) == .unavailable)
    }

    @Test(
        "P8: a refusal without a decision is \"undecidable\", every other is \"deny\"",
        arguments: DenialReason.allCases
    )
    func verdictWords(_ reason: DenialReason) async throws {
        let text = "No: \(reason.rawValue)"
        let services = FakeServices(.init(stage: .deny(Denial(reason), text: text)))
        let word = reason.isUndecided ? ENTRALOGIN_VERDICT_UNDECIDABLE : ENTRALOGIN_VERDICT_DENY
        for verb in [Verb.authorize, .openSession] {
            let frame = try await frame(services, try Request.sample(verb).encode())
            #expect(
                frame.suffix(text.utf8.count + 4) == [0, UInt8(word), 0, UInt8(text.utf8.count)] + Array(text.utf8)
            )
        }
    }

    @Test("P15: a refused certificate carries reason, text and correlation id")
    func refusedCertificate() async throws {
        let denial = Denial(.wrongTenant, detail: "not for the wire")
        let services = FakeServices(.init(principal: .deny(denial, correlation: try correlation())))
        let refusal = WireRefusal(
            reason: "wrong-tenant",
            text: DenialReason.wrongTenant.text,
            correlation: sampleCorrelation
        )
        #expect(try await reply(services, .sample(.checkCertificate)) == .refused(refusal))
    }
}
