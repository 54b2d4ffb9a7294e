// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureMessages
import AzureServices
import Glibc
import HTTPTransport
import Identity
import Testing

struct InstanceMetadataClientTests {
    private func reason(_ answers: ScriptedTransport.Answer, seconds: Int = 10) async -> DenialReason? {
        let fixture = Fixture()
        fixture.transport.script(Fixture.compute, answers)
        do throws(AccessCheckFault) {
            _ = try await fixture.service.instance(by: fixture.clock.bootTime().advanced(by: .seconds(seconds)))
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("the machine is asked for directly, with the header that IMDS wants")
    func request() async throws {
        let fixture = Fixture()
        let instance = try await fixture.service.instance(by: fixture.clock.bootTime().advanced(by: .seconds(1)))
        #expect(instance.resource.path == Fixture.resource)
        let asked = try #require(fixture.transport.requests.first)
        #expect(asked.url == "http://169.254.169.254/metadata/instance/compute?api-version=2019-06-01")
        #expect(asked.headers == [HTTPHeader("Metadata", "true")])
        #expect(asked.proxy == .none)
    }

    @Test("404, 410, 429, 5xx and time-outs are repeated until the service is there")
    func repeated() async throws {
        let fixture = Fixture()
        fixture.transport.script(
            Fixture.compute,
            .answer(404),
            .answer(410),
            .answer(429),
            .answer(500),
            .error(.timeout),
            .error(.unreachable),
            .answer(200, Fixture.instance())
        )
        _ = try await fixture.service.instance(by: fixture.clock.bootTime().advanced(by: .seconds(70)))
        #expect(fixture.transport.requests.count == 7)
    }

    @Test("421 is repeated once: the guest proxy agent could not tell which process asks")
    func misdirected() async throws {
        let deadline: Duration = .seconds(70)
        let closed = Fixture()
        closed.transport.script(Fixture.compute, .answer(421))
        await #expect(throws: AccessCheckFault.self) {
            try await closed.service.instance(by: closed.clock.bootTime().advanced(by: deadline))
        }
        #expect(closed.transport.requests.count == 2)
        let open = Fixture()
        open.transport.script(Fixture.compute, .answer(421), .answer(200, Fixture.instance()))
        _ = try await open.service.instance(by: open.clock.bootTime().advanced(by: deadline))
    }

    @Test("other refusals are final")
    func final() async {
        let fixture = Fixture()
        fixture.transport.script(Fixture.compute, .answer(400))
        let deadline = fixture.clock.bootTime().advanced(by: .seconds(70))
        await #expect(throws: AccessCheckFault.self) { try await fixture.service.instance(by: deadline) }
        #expect(fixture.transport.requests.count == 1)
    }

    @Test("closed, absent and broken are told apart")
    func reasons() async {
        #expect(await reason(.answer(403)) == .metadataClosed)
        #expect(await reason(.error(.timeout)) == .metadataClosed)
        #expect(await reason(.error(.unreachable)) == .unreachable)
        for code in [ECONNREFUSED, EACCES, EPERM] {
            #expect(await reason(.failure(HTTPError(.unreachable, "", systemError: code))) == .metadataClosed)
        }
        #expect(await reason(.failure(HTTPError(.unreachable, "", systemError: ENETUNREACH))) == .unreachable)
        #expect(await reason(.answer(421)) == .metadataClosed)
        #expect(await reason(.answer(500)) == .unreachable)
        #expect(await reason(.answer(429)) == .throttled)
        #expect(await reason(.answer(200, "[]")) == .malformedAnswer)
        #expect(await reason(.answer(302)) == .malformedAnswer)
    }

    @Test("an Arc server's id from a virtual machine's service is refused")
    func wrongKind() async {
        let resource =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.HybridCompute/machines/m"
        #expect(await reason(.answer(200, Fixture.instance(resource))) == .malformedAnswer)
    }

    @Test("a user-assigned identity is asked for only where the administrator names it")
    func userAssigned() async throws {
        let fixture = Fixture()
        let client = InstanceMetadataClient(
            fixture.environment,
            endpoints: fixture.endpoints,
            clientID: GUID("77777777-7777-4777-8777-777777777777")
        )
        _ = try await client.token(for: "x y", by: fixture.clock.bootTime().advanced(by: .seconds(1)))
        let url = try #require(fixture.transport.requests.first).url
        #expect(url.hasSuffix("resource=x%20y&client_id=77777777-7777-4777-8777-777777777777"))
    }
}
