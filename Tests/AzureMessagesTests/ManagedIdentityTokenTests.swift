// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Identity
import Testing

@testable import AzureMessages

struct ManagedIdentityTokenTests {
    private static let now = UnixTime(seconds: 1_800_000_000)

    private func token(_ fields: String) throws -> ManagedIdentityToken {
        try ManagedIdentityToken(parsing: Array("{\"access_token\":\"abc\",\"token_type\":\"Bearer\"\(fields)}".utf8))
    }

    @Test(
        "a token is kept for the least that is said, at least a minute, at most a day",
        arguments: [
            (",\"expires_in\":\"3600\",\"expires_on\":\"1800003600\"", 3600), (",\"expires_in\":600", 600),
            (",\"expires_on\":1800000300,\"expires_in\":86400", 300), (",\"expires_on\":\"1799999999\"", 60),
            (",\"expires_on\":\"9223372036854775807\"", 86_400), (",\"expires_in\":\"999999999\"", 86_400),
        ] as [(String, Int64)]
    )
    func lifetimes(fields: String, seconds: Int64) throws {
        #expect(try token(fields).lifetime(at: Self.now) == seconds)
    }

    @Test("a token without an end, of another type, or that fits no header is refused")
    func refused() {
        #expect(throws: MessageError.self) { try token("") }
        for text in [
            "{\"access_token\":\"abc\",\"token_type\":\"pop\",\"expires_in\":1}",
            "{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"Bearer\",\"expires_in\":1}",
            "{\"access_token\":\"\",\"token_type\":\"Bearer\",\"expires_in\":1}", "{}", "[]",
        ] {
            #expect(throws: MessageError.self) { try ManagedIdentityToken(parsing: Array(text.utf8)) }
        }
        #expect(AccessToken(String(repeating: "a", count: 16_385)) == nil)
    }

    @Test("P12: a token shows in no description or reflection")
    func hidden() throws {
        let token = try token(",\"expires_in\":1")
        var dumped = ""
        dump(token, to: &dumped)
        #expect(![dumped, "\(token)", String(reflecting: token)].contains { $0.contains("abc") })
        #expect(token.token.reveal() == "abc")
    }

    @Test("our own object id and tenant are read from the token; an opaque token has none")
    func claims() {
        let payload =
            "{\"oid\":\"44444444-4444-4444-8444-444444444444\",\"tid\":\"11111111-1111-4111-8111-111111111111\"}"
        let claims = AccessToken("e30.\(Base64.encode(payload.utf8, .url)).sig")?.claims
        #expect(claims?.objectID == ObjectID("44444444-4444-4444-8444-444444444444"))
        #expect(claims?.tenant == TenantID("11111111-1111-4111-8111-111111111111"))
        for text in ["opaque", "a.b.c", "a.b", "e30.e30.e30.e30"] { #expect(AccessToken(text)?.claims == nil) }
    }

    @Test(
        "refusals of the metadata service are told apart",
        arguments: [
            ("{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}", .identityNotFound),
            (
                "{\"error\":\"invalid_resource\",\"error_description\":\"AADSTS500011: The resource principal named\"}",
                .audienceUnknown
            ),
            ("{\"error\":\"invalid_request\",\"error_description\":\"Bad\"}", .other), ("<html>", .other), ("", .other),
        ] as [(String, MetadataRefusal.Meaning)]
    )
    func refusals(body: String, meaning: MetadataRefusal.Meaning) {
        #expect(MetadataRefusal(parsing: Array(body.utf8)).meaning == meaning)
    }
}
