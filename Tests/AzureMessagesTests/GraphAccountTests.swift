// SPDX-License-Identifier: Apache-2.0

import Identity
import Testing

@testable import AzureMessages

struct GraphAccountTests {
    private static let id = "55555555-5555-4555-8555-555555555555"

    private func account(_ body: String) throws -> GraphAccount {
        try GraphAccount(parsing: Array(body.utf8), of: #require(ObjectID(Self.id)))
    }

    @Test("an account is enabled where Graph says so of this very object, in any letter case of its id")
    func states() throws {
        #expect(try account("{\"id\":\"\(Self.id)\",\"accountEnabled\":true}").isEnabled)
        #expect(
            try !account("{\"@odata.context\":\"x\",\"id\":\"\(Self.id.uppercased())\",\"accountEnabled\":false}")
                .isEnabled
        )
    }

    @Test(
        "P1: what says nothing of this object, or not true or false, is no answer",
        arguments: [
            "{\"id\":\"55555555-5555-4555-8555-555555555556\",\"accountEnabled\":true}",
            "{\"accountEnabled\":true}", "{\"id\":\"\(id)\"}", "{\"id\":\"\(id)\",\"accountEnabled\":null}",
            "{\"id\":\"\(id)\",\"accountEnabled\":\"true\"}", "{\"id\":\"\(id)\",\"accountEnabled\":1}",
            "{\"id\":\"\(id)\",\"accountEnabled\":false,\"accountEnabled\":true}",
            "{\"value\":[{\"id\":\"\(id)\",\"accountEnabled\":true}]}",
            "{\"id\":[\"\(id)\"],\"accountEnabled\":true}", "[true]", "true", "",
            "{\"id\":\"\(id)\",\"accountEnabled\":true",
        ]
    )
    func nonsense(_ body: String) {
        #expect(throws: MessageError.self) { try account(body) }
    }

    @Test("P13: every truncation is refused, and no flipped byte makes a disabled account an enabled one")
    func damaged() throws {
        let body = Array("{\"id\":\"\(Self.id)\",\"accountEnabled\":false}".utf8)
        let id = try #require(ObjectID(Self.id))
        for length in 0..<body.count {
            #expect(throws: MessageError.self) { try GraphAccount(parsing: Array(body.prefix(length)), of: id) }
        }
        for index in body.indices {
            for bit in 0..<8 {
                var damaged = body
                damaged[index] ^= 1 << bit
                #expect((try? GraphAccount(parsing: damaged, of: id))?.isEnabled != true)
            }
        }
    }

    @Test("a missing object is told by Graph's own word, and by nothing else")
    func missing() {
        func says(_ body: String) -> Bool { ServiceRefusal(parsing: Array(body.utf8)).saysObjectIsMissing }
        #expect(says("{\"error\":{\"code\":\"Request_ResourceNotFound\",\"message\":\"x\"}}"))
        for other in [
            "{\"error\":{\"code\":\"BadRequest\"}}", "<html>404</html>", "", "{\"error\":\"Request_ResourceNotFound\"}",
        ] {
            #expect(!says(other), "\(other)")
        }
    }
}
