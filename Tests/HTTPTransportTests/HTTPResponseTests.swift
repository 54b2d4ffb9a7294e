// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HTTPTransport

struct HTTPResponseTests {
    @Test("a header is found in any letter case, and one that stands twice is not believed")
    func headers() {
        let response = HTTPResponse(
            status: 200,
            headers: [HTTPHeader("Retry-After", "7"), HTTPHeader("A", "1"), HTTPHeader("a", "2")]
        )
        #expect(response.header("retry-after") == "7")
        #expect(response.header("a") == nil)
        #expect(response.header("b") == nil)
    }

    @Test("text from outside is bounded and printable")
    func errorText() {
        let error = HTTPError(.tls, "a\u{1b}[0m\n" + String(repeating: "x", count: 1000))
        #expect(error.text.hasPrefix("a?[0m?x"))
        #expect(error.text.count == 256)
    }
}
