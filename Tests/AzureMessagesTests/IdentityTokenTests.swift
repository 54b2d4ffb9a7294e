// SPDX-License-Identifier: Apache-2.0

import AzureMessages
import ByteCoding
import Identity
import Testing

/// A token in Entra's form. The signature is faked: AzureServicesTests test it with libcrypto.
struct SampleToken {
    static let tenant = "11111111-1111-4111-8111-111111111111"
    static let client = "c11e0000-0000-4000-8000-0000000000dc"
    static let object = "55555555-5555-4555-8555-555555555555"
    static let issuer = "https://login.microsoftonline.com/\(tenant)/v2.0"
    static let now: Int64 = 1_800_000_000

    var header: [String: JSON] = ["typ": .string("JWT"), "alg": .string("RS256"), "kid": .string("k1")]
    var claims: [String: JSON] = [
        "ver": .string("2.0"), "iss": .string(issuer), "aud": .string(client), "tid": .string(tenant),
        "oid": .string(object), "preferred_username": .string("Alice@Contoso.com"), "exp": .number("\(now + 3900)"),
        "iat": .number("\(now - 300)"), "nbf": .number("\(now - 300)"), "sub": .string("s"), "name": .string("Alice"),
    ]

    var signed: String {
        [JSON.object(header), .object(claims)].map { Base64.encode($0.bytes, .url) }.joined(separator: ".")
    }
    var text: String { "\(signed).\(Base64.encode(Array("signature".utf8), .url))" }

    static func keys(_ names: String...) throws -> SigningKeys {
        let entries = names.map {
            #"{"kty":"RSA","use":"sig","kid":"\#($0)","n":"\#(KeyFixtures.modulus)","e":"AQAB"}"#
        }
        return try SigningKeys(parsing: Array("{\"keys\":[\(entries.joined(separator: ","))]}".utf8))
    }

    /// The identity that the token proves, or why it proves none.
    static func evaluate(_ text: String, signs: Bool = true) throws -> Result<ProvenIdentity, IdentityTokenRefusal> {
        let expected = IdentityTokenExpectations(
            issuer: issuer,
            clientID: try #require(GUID(client)),
            tenant: try #require(TenantID(tenant)),
            now: UnixTime(seconds: now),
            skew: 60
        )
        let keys = try keys("k1")
        return Result { () throws(IdentityTokenRefusal) in
            try IdentityToken(parsing: text).verified(by: keys, against: expected) { _, message, signature in
                signs && message == Array(text.utf8.prefix(message.count)) && signature == Array("signature".utf8)
            }
        }
    }
}

@Suite struct IdentityTokenTests {
    private func refusal(_ change: (inout SampleToken) -> Void) throws -> IdentityTokenRefusal? {
        var token = SampleToken()
        change(&token)
        guard case .failure(let refusal) = try SampleToken.evaluate(token.text) else { return nil }
        return refusal
    }

    @Test("a good token proves tenant, object id and name")
    func good() throws {
        let proven = try SampleToken.evaluate(SampleToken().text).get()
        #expect(proven.identity.objectID.description == SampleToken.object)
        #expect(proven.identity.tenant.description == SampleToken.tenant)
        #expect(proven.name == "Alice@Contoso.com")
        var older = SampleToken()
        older.claims["preferred_username"] = nil
        older.claims["upn"] = .string("alice@contoso.com")
        older.claims["nbf"] = nil
        older.claims["aud"] = .string(SampleToken.client.uppercased())
        older.header["typ"] = nil
        #expect(try SampleToken.evaluate(older.text).get().name == "alice@contoso.com")
    }

    @Test(
        "P4: only RS256 is a signature: not none, not a shared secret, not another key's",
        arguments: ["none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", ""]
    )
    func algorithm(_ name: String) throws {
        #expect(try refusal { $0.header["alg"] = .string(name) } == .algorithm)
    }

    @Test(
        "P4: a header that brings a key along, or changes what is signed, is refused",
        arguments: ["crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c"]
    )
    func headers(_ name: String) throws {
        #expect(try refusal { $0.header[name] = .array([.string("x")]) } == .header)
    }

    @Test("P4: a key that this tenant does not publish, and a signature that is not that key's, prove nobody")
    func signature() throws {
        #expect(try refusal { $0.header["kid"] = .string("k2") } == .keyUnknown)
        #expect(try refusal { $0.header["kid"] = nil } == .keyUnknown)
        #expect(try refusal { $0.header["typ"] = .string("at+jwt") } == .header)
        #expect(try refusal { $0.header["alg"] = nil } == .algorithm)
        guard case .failure(.signature) = try SampleToken.evaluate(SampleToken().text, signs: false) else {
            Issue.record("a token with a wrong signature was believed")
            return
        }
    }

    private typealias Claim = (name: String, value: JSON?, refusal: IdentityTokenRefusal)

    private static let wrongClaims: [Claim] = [
        ("tid", .string("22222222-2222-4222-8222-222222222222"), .tenant), ("tid", nil, .tenant),
        ("iss", .string("https://login.microsoftonline.com/22222222-2222-4222-8222-222222222222/v2.0"), .issuer),
        ("iss", .string("https://login.microsoftonline.us/\(SampleToken.tenant)/v2.0"), .issuer),
        ("iss", .string("https://sts.windows.net/\(SampleToken.tenant)/"), .issuer), ("iss", nil, .issuer),
        ("aud", .string("22222222-2222-4222-8222-222222222222"), .audience), ("aud", nil, .audience),
        ("aud", .array([.string(SampleToken.client)]), .audience),
        ("ver", .string("1.0"), .version), ("ver", nil, .version),
        ("nonce", .string("somebody's"), .nonce),
        ("oid", nil, .objectID), ("oid", .string("alice"), .objectID), ("oid", .number("7"), .objectID),
        ("preferred_username", nil, .name), ("preferred_username", .string(""), .name),
        ("preferred_username", .string(String(repeating: "a", count: 257)), .name),
    ]

    @Test("P1: a claim that is wrong or missing proves nobody, with a reason of its own")
    func claims() throws {
        for claim in Self.wrongClaims {
            #expect(try refusal { $0.claims[claim.name] = claim.value } == claim.refusal, "\(claim)")
        }
    }

    @Test("A token counts from its beginning, with the skew, to its end, without one, and for a day at most")
    func times() throws {
        let now = SampleToken.now
        func at(_ begin: Int64, _ issued: Int64, _ end: Int64) throws -> IdentityTokenRefusal? {
            try refusal {
                $0.claims["nbf"] = .number("\(begin)")
                $0.claims["iat"] = .number("\(issued)")
                $0.claims["exp"] = .number("\(end)")
            }
        }
        #expect(try at(now + 60, now + 60, now + 3600) == nil)
        #expect(try at(now + 61, now, now + 3600) == .notYetValid)
        #expect(try at(now, now + 61, now + 3600) == .notYetValid)
        #expect(try at(now - 10, now - 10, now + 1) == nil)
        #expect(try at(now - 10, now - 10, now) == .expired)
        #expect(try at(now - 300, now, now - 300 + 86_400) == nil)
        #expect(try at(now - 300, now, now - 299 + 86_400) == .lifetime)
        for wrong: JSON? in [nil, .string("\(now + 3900)"), .number("1e10"), .number("-1"), .number("\(Int64.max)")] {
            #expect(try refusal { $0.claims["exp"] = wrong } == .malformed)
            #expect(try refusal { $0.claims["iat"] = wrong } == .malformed)
            #expect(wrong == nil ? true : try refusal { $0.claims["nbf"] = wrong } == .malformed)
        }
    }

    @Test("P13: two parts or four, loose base64, doubled names, other values than objects, too long: refused")
    func forms() throws {
        let token = SampleToken()
        let parts = token.text.split(separator: ".").map(String.init)
        let doubled = Base64.encode(#"{"alg":"none","alg":"RS256","kid":"k1"}"#.utf8, .url)
        let wrong = [
            "", ".", "..", "a.b.c", parts[0], "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).", "\(token.text).",
            "\(token.text).x", ".\(token.text)", "\(token.text)=", " \(token.text)", "\(token.text)\n",
            "\(doubled).\(parts[1]).\(parts[2])", "\(parts[0]).\(Base64.encode("[]".utf8, .url)).\(parts[2])",
            "\(parts[0]).\(Base64.encode("\(String(decoding: JSON.object(token.claims).bytes, as: UTF8.self)) ,".utf8, .url)).\(parts[2])",
            "\(parts[0]).\(parts[1]).\(String(repeating: "A", count: IdentityToken.Limit.characters))",
        ]
        for text in wrong {
            guard case .failure(.malformed) = try SampleToken.evaluate(text) else {
                Issue.record("\(text.prefix(80))")
                continue
            }
        }
    }

    @Test("P13: every truncation, and every change of a byte, of a token proves nobody else than before")
    func damage() throws {
        let text = SampleToken().text
        let signed = SampleToken().signed.utf8.count
        let bytes = Array(text.utf8)
        for length in 0..<bytes.count {
            let cut = String(decoding: bytes[..<length], as: UTF8.self)
            #expect((try? SampleToken.evaluate(cut).get()) == nil)
        }
        for index in bytes.indices {
            var copy = bytes
            copy[index] ^= 0x01
            let changed = String(decoding: copy, as: UTF8.self)
            // The signature is faked, so this checks the signed bytes: only the original ones would be valid.
            let proven = try? IdentityToken(parsing: changed)
            #expect(proven == nil || proven?.signedBytes != Array(bytes[..<signed]) || index > signed)
        }
    }
}

@Suite struct DeviceAuthorizationTests {
    private func parse(_ changes: [String: JSON?] = [:]) throws -> DeviceAuthorization {
        var members: [String: JSON] = [
            "device_code": .string("GMMhmHCXhWEzkobqIHGG_EnNYYsAkukHspeYUk9E8"), "user_code": .string("ABCD-1234"),
            "verification_uri": .string("https://microsoft.com/devicelogin"), "expires_in": .number("900"),
            "interval": .number("5"), "message": .string("words"),
        ]
        for (name, value) in changes { members[name] = value }
        return try DeviceAuthorization(parsing: JSON.object(members).bytes)
    }

    @Test("a code is read, and what redeems it is shown nowhere (P12)")
    func good() throws {
        let code = try parse()
        #expect(code.userCode == "ABCD-1234" && code.address == "https://microsoft.com/devicelogin")
        #expect(code.lifetime == 900 && code.interval == 5)
        #expect("\(code)\(String(reflecting: code))" == "(device code)(device code)")
        var shown = ""
        dump(code, to: &shown)
        #expect(!shown.contains("GMMhm"))
        #expect(try parse(["interval": nil]).interval == 5)
        #expect(try parse(["interval": .number("0")]).interval == 1)
        #expect(try parse(["expires_in": .number("99999")]).lifetime == 3600)
    }

    @Test(
        "what a person could not type, or should not open, is refused",
        arguments: [
            ("user_code", "A B"), ("user_code", "A\u{1b}[2J"), ("user_code", ""), ("user_code", "\u{202e}ABC"),
            ("verification_uri", "http://microsoft.com/devicelogin"), ("verification_uri", "https://a b"),
            ("verification_uri", "https://a\nb"), ("device_code", "a b"), ("device_code", ""), ("expires_in", "x"),
        ]
    )
    func bad(_ name: String, _ value: String) {
        #expect(throws: MessageError.self) { try parse([name: .string(value)]) }
    }

    @Test("Each word of the token endpoint has its meaning; every other is a refusal, quoted")
    func words() throws {
        func answer(_ word: String) throws -> DeviceTokenAnswer {
            try DeviceTokenAnswer(
                parsing: Array(#"{"error":"\#(word)","error_description":"x\u0007y"}"#.utf8),
                isSuccess: false
            )
        }
        let meanings: [(String, DeviceTokenAnswer)] = [
            ("authorization_pending", .pending), ("slow_down", .slowDown), ("access_denied", .declined),
            ("authorization_declined", .declined), ("expired_token", .expired), ("code_expired", .expired),
            ("invalid_grant", .refused(#""invalid_grant" "x?y""#)),
        ]
        for (word, meaning) in meanings { #expect(try answer(word) == meaning) }
        let token = try DeviceTokenAnswer(parsing: Array(#"{"id_token":"a.b.c"}"#.utf8), isSuccess: true)
        #expect(token == .identityToken("a.b.c"))
        for wrong in [#"{"access_token":"x"}"#, "[]", "", #"{"error":"authorization_pending"}"#] {
            #expect(throws: MessageError.self) { try DeviceTokenAnswer(parsing: Array(wrong.utf8), isSuccess: true) }
        }
        #expect(throws: MessageError.self) {
            try DeviceTokenAnswer(parsing: Array(#"{"id_token":"a.b.c"}"#.utf8), isSuccess: false)
        }
    }

    @Test("A kid that two keys claim is nobody's; one that says nothing is passed over")
    func names() throws {
        func entry(_ kid: String, _ modulus: String) -> String {
            #"{"kty":"RSA","use":"sig","kid":"\#(kid)","n":"\#(modulus)","e":"AQAB"}"#
        }
        let other = "wu" + KeyFixtures.modulus.dropFirst(2)
        let list = [
            entry("a", KeyFixtures.modulus), entry("b", KeyFixtures.modulus), entry("b", other), entry("", other),
        ]
        let keys = try SigningKeys(parsing: Array("{\"keys\":[\(list.joined(separator: ","))]}".utf8))
        #expect(Array(keys.named.keys) == ["a"])
    }
}
