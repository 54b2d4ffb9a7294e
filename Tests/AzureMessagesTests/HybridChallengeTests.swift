// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AzureMessages

struct HybridChallengeTests {
    @Test("the documented form is read")
    func reading() throws {
        let header = "Basic realm=/var/opt/azcmagent/tokens/4e4d5b64-2f4b-4b1a-9f5c-0c7d0a9b8e21.key"
        #expect(try HybridChallenge(parsing: header).fileName == "4e4d5b64-2f4b-4b1a-9f5c-0c7d0a9b8e21.key")
    }

    @Test(
        "every other form, folder or suffix is refused",
        arguments: [
            "", "Basic", "Basic realm=", "basic realm=/var/opt/azcmagent/tokens/a.key",
            "Basic  realm=/var/opt/azcmagent/tokens/a.key", "Basic realm=\"/var/opt/azcmagent/tokens/a.key\"",
            "Bearer realm=/var/opt/azcmagent/tokens/a.key", "Basic realm=/etc/shadow", "Basic realm=/tmp/a.key",
            "Basic realm=/var/opt/azcmagent/tokens/../tokens/a.key", "Basic realm=/var/opt/azcmagent/tokens/x/a.key",
            "Basic realm=/var/opt/azcmagent/tokensx/a.key", "Basic realm=/var/opt/azcmagent/tokens/a.pem",
            "Basic realm=/var/opt/azcmagent/tokens/.key", "Basic realm=/var/opt/azcmagent/tokens/a.key\0",
            "Basic realm=/var/opt/azcmagent/tokens/a.key ", "Basic realm=/var/opt/azcmagent/tokens/..key",
            "Basic realm=/var/opt/azcmagent/tokens/a.key, Bearer", "Basic realm=/var/opt/azcmagent/tokens//a.key",
        ]
    )
    func refused(header: String) {
        #expect(throws: MessageError.self) { try HybridChallenge(parsing: header) }
    }
}
