// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureMessages
import AzureServices
import HTTPTransport
import Identity
import Testing

struct ManagedIdentityTests {
    private func deadline(_ scene: Scene) -> BootTime { scene.clock.bootTime().advanced(by: .seconds(10)) }

    /// Lets tasks in the background run until `condition` holds.
    private func wait(until condition: () -> Bool) async {
        for _ in 0..<100_000 where !condition() { await Task.yield() }
    }

    @Test("a token is fetched once and kept; each audience has its own")
    func kept() async throws {
        let scene = Scene()
        for _ in 0..<3 { _ = try await scene.identity.token(for: "a", by: deadline(scene)) }
        _ = try await scene.identity.token(for: "b", by: deadline(scene))
        #expect(scene.transport.requests(to: Scene.token).count == 2)
        #expect(scene.identity.status.map(\.audience) == ["a", "b"])
        #expect(scene.identity.claims?.tenant == TenantID(Scene.tenant))
    }

    @Test("many callers at once share one request")
    func oneFlight() async throws {
        let scene = Scene()
        let by = deadline(scene)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await scene.identity.token(for: "a", by: by) } }
            try await group.waitForAll()
        }
        #expect(scene.transport.requests(to: Scene.token).count == 1)
    }

    @Test("it is renewed in the background at half its life, and nobody waits for that")
    func renewal() async throws {
        let scene = Scene()
        scene.transport.play(Scene.token, Scene.tokenAnswer("1", lifetime: 3600), Scene.tokenAnswer("2"))
        _ = try await scene.identity.token(for: "a", by: deadline(scene))
        scene.clock.advance(.seconds(1700))
        _ = try await scene.identity.token(for: "a", by: deadline(scene))
        #expect(scene.transport.requests(to: Scene.token).count == 1)
        scene.clock.advance(.seconds(200))
        #expect(try await scene.identity.token(for: "a", by: deadline(scene)).reveal() == Scene.tokenText("1"))
        await wait { (scene.identity.status.first?.remaining ?? .zero) > .seconds(3600) }
        #expect(try await scene.identity.token(for: "a", by: deadline(scene)).reveal() == Scene.tokenText("2"))
        #expect(scene.transport.requests(to: Scene.token).count == 2)
    }

    @Test("a renewal that fails leaves the token in use until its end, and not longer")
    func failedRenewal() async throws {
        let scene = Scene()
        scene.transport.play(Scene.token, Scene.tokenAnswer("1", lifetime: 3600), .answer(400, "{}"))
        _ = try await scene.identity.token(for: "a", by: deadline(scene))
        scene.clock.advance(.seconds(2000))
        #expect(try await scene.identity.token(for: "a", by: deadline(scene)).reveal() == Scene.tokenText("1"))
        await wait { scene.identity.status.first?.fault != nil }
        #expect(try await scene.identity.token(for: "a", by: deadline(scene)).reveal() == Scene.tokenText("1"))
        scene.clock.advance(.seconds(1600))
        let by = deadline(scene)
        await #expect(throws: AccessCheckFault.self) { try await scene.identity.token(for: "a", by: by) }
    }

    @Test("an outage is no error for ever: the next one who asks gets a token")
    func recovery() async throws {
        let scene = Scene()
        scene.transport.play(Scene.token, .answer(400, "{}"), Scene.tokenAnswer())
        let by = deadline(scene)
        await #expect(throws: AccessCheckFault.self) { try await scene.identity.token(for: "a", by: by) }
        #expect(scene.identity.status.first?.fault?.reason == .malformedAnswer)
        _ = try await scene.identity.token(for: "a", by: by)
        #expect(scene.identity.status.first?.fault == nil)
    }
}
