// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Testing

struct ClockComparisonTests {
    private static let configuration = "/v2.0/.well-known/openid-configuration"

    private func ahead(after headers: HTTPHeader...) async throws -> Int64? {
        let fixture = Fixture()
        let url = "https://login.microsoftonline.com/\(Fixture.tenant)\(Self.configuration)"
        let body = "{\"issuer\":\"x\",\"rbac_url\":\"https://pas.windows.net/\"}"
        fixture.transport.script(url, .success(HTTPResponse(status: 200, headers: headers, body: Array(body.utf8))))
        // The metadata service's date does not count: any local process could answer in its place.
        fixture.transport.script(
            Fixture.compute,
            .answer(200, Fixture.instance(), HTTPHeader("Date", "Thu, 01 Jan 1970 00:00:00 GMT"))
        )
        let deadline = fixture.clock.bootTime().advanced(by: .seconds(5))
        _ = try await fixture.service.instance(by: deadline)
        try await fixture.clouds.learn(about: try fixture.machine(), by: deadline)
        // The tests' dates assume a clock at 1,800,000,000; the virtual clock is later by this difference.
        let begin = fixture.clock.wallTime().seconds - 1_800_000_000
        return fixture.environment.clock.aheadSeconds.map { $0 - begin }
    }

    @Test("a clock ten minutes ahead of Azure's is seen in an answer over TLS")
    func ahead() async throws {
        #expect(try await ahead(after: HTTPHeader("Date", "Fri, 15 Jan 2027 07:50:00 GMT")) == 600)
    }

    @Test("no date, or one that cannot be read, says nothing")
    func silent() async throws {
        #expect(try await ahead() == nil)
        #expect(try await ahead(after: HTTPHeader("Date", "yesterday")) == nil)
    }
}
