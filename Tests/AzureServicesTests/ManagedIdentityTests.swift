// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureMessages
import AzureServices
import HTTPTransport
import Identity
import Testing

struct ManagedIdentityTests {
    private func deadline(_ fixture: Fixture) -> BootTime { fixture.clock.bootTime().advanced(by: .seconds(10)) }

    /// Lets tasks in the background run until `condition` holds.
    private func wait(until condition: () -> Bool) async {
        for _ in 0..<100_000 where !condition() { await Task.yield() }
    }

    @Test("a token is fetched once and kept; each audience has its own")
    func kept() async throws {
        let fixture = Fixture()
        for _ in 0..<3 { _ = try await fixture.identity.token(for: "a", by: deadline(fixture)) }
        _ = try await fixture.identity.token(for: "b", by: deadline(fixture))
        #expect(fixture.transport.requests(to: Fixture.token).count == 2)
        #expect(fixture.identity.status.map(\.audience) == ["a", "b"])
        #expect(fixture.identity.claims?.tenant == TenantID(Fixture.tenant))
    }

    @Test("many callers at once share one request")
    func oneFlight() async throws {
        let fixture = Fixture()
        let by = deadline(fixture)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await fixture.identity.token(for: "a", by: by) } }
            try await group.waitForAll()
        }
        #expect(fixture.transport.requests(to: Fixture.token).count == 1)
    }

    @Test("it is renewed in the background at half its life, and nobody waits for that")
    func renewal() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.token, Fixture.tokenAnswer("1", lifetime: 3600), Fixture.tokenAnswer("2"))
        _ = try await fixture.identity.token(for: "a", by: deadline(fixture))
        fixture.clock.advance(.seconds(1700))
        _ = try await fixture.identity.token(for: "a", by: deadline(fixture))
        #expect(fixture.transport.requests(to: Fixture.token).count == 1)
        fixture.clock.advance(.seconds(200))
        #expect(try await fixture.identity.token(for: "a", by: deadline(fixture)).reveal() == Fixture.tokenText("1"))
        await wait { (fixture.identity.status.first?.remaining ?? .zero) > .seconds(3600) }
        #expect(try await fixture.identity.token(for: "a", by: deadline(fixture)).reveal() == Fixture.tokenText("2"))
        #expect(fixture.transport.requests(to: Fixture.token).count == 2)
    }

    @Test("a renewal that fails leaves the token in use until its end, and not longer")
    func failedRenewal() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.token, Fixture.tokenAnswer("1", lifetime: 3600), .answer(400, "{}"))
        _ = try await fixture.identity.token(for: "a", by: deadline(fixture))
        fixture.clock.advance(.seconds(2000))
        #expect(try await fixture.identity.token(for: "a", by: deadline(fixture)).reveal() == Fixture.tokenText("1"))
        await wait { fixture.identity.status.first?.fault != nil }
        #expect(try await fixture.identity.token(for: "a", by: deadline(fixture)).reveal() == Fixture.tokenText("1"))
        fixture.clock.advance(.seconds(1600))
        let by = deadline(fixture)
        await #expect(throws: AccessCheckFault.self) { try await fixture.identity.token(for: "a", by: by) }
    }

    @Test("an outage is no error for ever: the next one who asks gets a token")
    func recovery() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.token, .answer(400, "{}"), Fixture.tokenAnswer())
        let by = deadline(fixture)
        await #expect(throws: AccessCheckFault.self) { try await fixture.identity.token(for: "a", by: by) }
        #expect(fixture.identity.status.first?.fault?.reason == .malformedAnswer)
        _ = try await fixture.identity.token(for: "a", by: by)
        #expect(fixture.identity.status.first?.fault == nil)
    }
}
