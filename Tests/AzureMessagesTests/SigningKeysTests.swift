// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import Identity
import Testing

@testable import AzureMessages

struct SigningKeysTests {
    @Test(
        "P4: a key of another cloud, or of another tenant alone, is passed over; one that does not say whose it is counts",
        arguments: [
            ("\"x\":1", true), ("\"cloud_instance_name\":\"microsoftonline.com\"", true),
            ("\"cloud_instance_name\":\"MicrosoftOnline.com\"", true),
            ("\"cloud_instance_name\":\"microsoftonline.us\"", false), ("\"cloud_instance_name\":7", false),
            ("\"issuer\":\"https://login.microsoftonline.com/{tenantid}/v2.0\"", true),
            ("\"issuer\":\"https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0\"", true),
            ("\"issuer\":\"https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0\"", false),
            ("\"issuer\":\"x\"", false), ("\"issuer\":null", true),
        ]
    )
    func scope(member: String, counts: Bool) throws {
        let modulus = Base64.encode([UInt8](repeating: 0xc5, count: 256), .url)
        let key = "{\"kty\":\"RSA\",\"use\":\"sig\",\"e\":\"AQAB\",\"n\":\"\(modulus)\",\(member)}"
        let set = Array("{\"keys\":[\(key)]}".utf8)
        let tenant = try #require(TenantID("11111111-1111-4111-8111-111111111111"))
        let scope = SigningKeyScope(cloudInstance: "microsoftonline.com", tenant: tenant)
        #expect(try SigningKeys(parsing: set, in: scope).keys.count == (counts ? 1 : 0))
        #expect(try SigningKeys(parsing: set).keys.count == 1)
        #expect(try SigningKeys(parsing: set, in: SigningKeyScope(cloudInstance: nil, tenant: nil)).keys.count == 1)
    }

    private static let good =
        "\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"1\",\"n\":\"\(KeyFixtures.modulus)\",\"e\":\"AQAB\""

    private func keys(_ entries: String...) throws -> SigningKeys {
        let objects = entries.map { "{\($0)}" }.joined(separator: ",")
        return try SigningKeys(parsing: Array("{\"keys\":[\(objects)]}".utf8))
    }

    private func entry(bits: Int, lowest: UInt8 = 1) -> String {
        var modulus = [UInt8](repeating: 0, count: (bits + 7) / 8)
        modulus[0] = 1 << UInt8((bits - 1) % 8)
        modulus[modulus.count - 1] |= lowest
        return Self.good.replacing(KeyFixtures.modulus, with: Base64.encode(modulus, .url))
    }

    @Test("an RSA signing key is taken, and taken once")
    func taken() throws {
        let set = try keys(Self.good, Self.good)
        #expect(set.keys.count == 1 && set.refusedCount == 0)
        #expect(set.keys.first?.exponent == [1, 0, 1])
        #expect(set.keys.first?.modulus.count == 256)
    }

    @Test("a certificate beside the key must hold the same key")
    func certificates() throws {
        func refused(_ chain: String) throws -> Bool { try keys("\(Self.good),\"x5c\":\(chain)").keys.isEmpty }
        #expect(try !refused("[\"\(KeyFixtures.certificate)\"]"))
        #expect(try !refused("[\"\(KeyFixtures.certificate)\",\"anything\"]"))
        #expect(try refused("[\"\(KeyFixtures.otherCertificate)\"]"))
        #expect(try refused("[\"\(KeyFixtures.curveCertificate)\"]"))
        for chain in ["[]", "\"\(KeyFixtures.certificate)\"", "[\"\"]", "[\"MAA=\"]", "[1]", "{}"] {
            #expect(try refused(chain))
        }
    }

    @Test("P13: no prefix of a certificate holds a key")
    func certificatePrefixes() throws {
        let certificate = try Base64.decode(KeyFixtures.certificate)
        for length in 0..<certificate.count {
            #expect(throws: MessageError.self) { try CertificateKey(certificate: Array(certificate[..<length])) }
        }
        #expect(throws: MessageError.self) { try CertificateKey(certificate: certificate + [0]) }
    }

    @Test(
        "keys of another kind, use or exponent are passed over",
        arguments: [
            good.replacing("RSA", with: "EC"), good.replacing("sig", with: "enc"), good.replacing("AQAB", with: "Aw"),
            good.replacing("AQAB", with: ""), good.replacing("\"use\":\"sig\",", with: ""),
            good.replacing("\"n\"", with: "\"m\""), good.replacing("AQAB", with: "AQAB=="),
        ]
    )
    func passedOver(entry: String) throws {
        let set = try keys(entry, Self.good)
        #expect(set.keys.count == 1 && set.refusedCount == 1)
    }

    @Test("a modulus has 2,048 to 8,192 bits and is odd")
    func sizes() throws {
        for bits in [2048, 3072, 8192] { #expect(try keys(entry(bits: bits)).keys.count == 1) }
        for bits in [1024, 2047, 8193, 16_384] { #expect(try keys(entry(bits: bits)).keys.isEmpty) }
        #expect(try keys(entry(bits: 2048, lowest: 2)).keys.isEmpty)
    }

    @Test("P13: a set has at most 64 entries, and must be one")
    func limits() {
        let many = Array(repeating: "{}", count: 65).joined(separator: ",")
        for text in ["{\"keys\":[\(many)]}", "{}", "[]", "{\"keys\":{}}", "{\"keys\":null}", "x"] {
            #expect(throws: MessageError.self) { try SigningKeys(parsing: Array(text.utf8)) }
        }
    }

    @Test("the metadata service's keys come as a set, as keys, as lines or as texts")
    func metadataKeys() throws {
        func read(_ text: String) throws -> MetadataKeys { try MetadataKeys(parsing: Array(text.utf8)) }
        let set = try keys(Self.good)
        #expect(try read("{\"keys\":[{\(Self.good)}]}") == .webKeys(set))
        #expect(try read("[{\(Self.good)}]") == .webKeys(set))
        #expect(try read("[{\"keys\":[{\(Self.good)}]}]") == .webKeys(set))
        #expect(
            try read("# comment\n\nssh-rsa AAAA one\r\nssh-rsa BBBB\n") == .lines(["ssh-rsa AAAA one", "ssh-rsa BBBB"])
        )
        #expect(try read("[\"ssh-rsa AAAA one\",\"ssh-rsa BBBB\\n\"]") == .lines(["ssh-rsa AAAA one", "ssh-rsa BBBB"]))
        for text in ["", "\n# only a comment\n", "{}", "[\"ssh-rsa AAAA\",{\(Self.good)}]", "\"ssh-rsa AAAA\"", "1"] {
            #expect(throws: MessageError.self) { try read(text) }
        }
        #expect(throws: MessageError.self) { try read(String(repeating: "ssh-rsa A\n", count: 65)) }
    }

    @Test(
        "an answer is kept as long as it says, at most a day",
        arguments: [
            (nil, nil), ("no-store", nil), ("max-age=86400, private", 86_400), ("public, max-age=60", 60),
            ("Max-Age=999999999999999999999", 86_400), ("max-age=-1", nil), ("max-age=", nil), ("s-maxage=5", nil),
        ] as [(String?, Int64?)]
    )
    func lifetimes(header: String?, seconds: Int64?) {
        #expect(cacheLifetime(header) == seconds)
    }
}
