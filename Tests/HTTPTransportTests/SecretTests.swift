// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import HTTPTransport

struct SecretTests {
    @Test("P12: a secret shows in no description, reflection or request")
    func hidden() {
        let secret = Secret("hunter2")
        var request = HTTPRequest(.get, "http://127.0.0.1/", timeout: .seconds(1))
        request.authorization = secret
        request.proxy = .configured(url: secret, exceptions: "")
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\(request)", String(reflecting: request), dumped] {
            #expect(!text.contains("hunter2"))
        }
        #expect(secret.reveal() == "hunter2")
    }
}
