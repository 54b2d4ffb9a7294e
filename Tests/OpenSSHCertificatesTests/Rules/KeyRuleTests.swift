// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import CertificateFactory
import OpenSSHCertificates
import Testing

/// PurposeRule, UserKeyRule, AuthorityKeyRule, AuthorityKnownRule.
struct KeyRuleTests {
    @Test("P4: a host certificate signs nobody in")
    func host() throws {
        let blob = try Fixtures.small { $0.isHostCertificate = true }
        #expect(try Fixtures.refusal(of: blob) == .notUserCertificate)
    }

    @Test("A certificate that is neither for users nor for hosts is malformed", arguments: [0, 3, 0x0100_0000, .max])
    func purposes(number: UInt32) throws {
        #expect(try Fixtures.refusal(of: Fixtures.handmade { $0.purpose = number }) == .malformed)
    }

    @Test("An RSA user key below 2048 or above 8192 bits is refused", arguments: [1_024, 2_047, 8_193, 16_384])
    func userKey(bits: Int) throws {
        let blob = try Fixtures.handmade { $0.keyFields = Array(rsaBlob(bits: bits).dropFirst(11)) }
        #expect(try Fixtures.refusal(of: blob) == .userKeyTooWeak)
    }

    @Test("An RSA user key of 2048 to 8192 bits is not refused for its size", arguments: [2_048, 4_096, 8_192])
    func goodUserKey(bits: Int) throws {
        let blob = try Fixtures.handmade { $0.keyFields = Array(rsaBlob(bits: bits).dropFirst(11)) }
        #expect(try Fixtures.refusal(of: blob) == nil)
    }

    @Test("An RSA key above 16384 bits is not even read")
    func hugeKey() throws {
        let blob = try Fixtures.handmade { $0.keyFields = Array(rsaBlob(bits: 16_385).dropFirst(11)) }
        #expect(try Fixtures.refusal(of: blob) == .tooLarge)
    }

    @Test("P4: a CA key of 1024 bits is refused, even if it is trusted by mistake")
    func weakAuthority() throws {
        let keys = try Fixtures.keys()
        let weak = try keys.factory.makeKey(.rsa(bits: 1024))
        let blob = try keys.factory.certify(keys.ed25519User, by: weak, Fixtures.details)
        var expectations = try Fixtures.expectations()
        expectations.authorityKeys = [try PublicKey(parsing: weak.blob)]
        #expect(try Fixtures.refusal(of: blob, against: expectations) == .authorityKeyTooWeak)
    }

    @Test(
        "P4: an RSA CA key below 2048 or above 8192 bits is refused, one of the ends is not",
        arguments: [
            (1_024, false), (2_047, false), (2_048, true), (4_096, true), (8_192, true), (8_193, false),
            (16_384, false),
        ]
    )
    func authoritySize(bits: Int, isTaken: Bool) throws {
        let keys = try Fixtures.keys()
        var body = HandmadeCertificate(key: keys.rsaUser, authority: keys.rsaAuthority, details: Fixtures.details)
        body.authorityBlob = rsaBlob(bits: bits)
        // These keys have no private half, so no signature is valid; the rule must refuse a weak key before that check.
        let signature =
            HandmadeCertificate.string("rsa-sha2-512")
            + HandmadeCertificate.string([UInt8](repeating: 1, count: (bits + 7) / 8))
        let blob = body.signedBytes + HandmadeCertificate.string(signature)
        var expectations = try Fixtures.expectations()
        expectations.authorityKeys = [try PublicKey(parsing: body.authorityBlob)]
        let expected: CertificateRefusal = isTaken ? .signatureInvalid : .authorityKeyTooWeak
        #expect(try Fixtures.refusal(of: blob, against: expectations) == expected)
    }

    @Test("A CA key with another exponent than 65537 is refused")
    func authorityExponent() throws {
        let keys = try Fixtures.keys()
        guard case .rsa(_, let modulus) = try PublicKey(parsing: keys.rsaAuthority.blob).fields else {
            Issue.record("not RSA")
            return
        }
        let odd = try PublicKey(type: .rsa, fields: .rsa(exponent: [3], modulus: modulus))
        let blob = try Fixtures.handmade { $0.authorityBlob = odd.blob }
        var expectations = try Fixtures.expectations()
        expectations.authorityKeys.append(odd)
        #expect(try Fixtures.refusal(of: blob, against: expectations) == .authorityKeyTooWeak)
    }

    @Test("P4: a CA that is not in the keyring is refused, whatever else is right")
    func unknownAuthority() throws {
        let keys = try Fixtures.keys()
        let stranger = try keys.factory.makeKey(.ecdsa(bits: 256))
        let blob = try keys.factory.certify(keys.ed25519User, by: stranger, Fixtures.details)
        #expect(try Fixtures.refusal(of: blob) == .authorityUnknown)
        var expectations = try Fixtures.expectations()
        expectations.authorityKeys = []
        #expect(try Fixtures.refusal(of: Fixtures.small(), against: expectations) == .authorityUnknown)
    }

    @Test("P4: a CA key that is itself a certificate is refused (CVE-2025-49825)")
    func nestedAuthority() throws {
        let inner = try Fixtures.handmade()
        let blob = try Fixtures.handmade { $0.authorityBlob = inner }
        #expect(try Fixtures.refusal(of: blob) == .authorityIsCertificate)
    }

    @Test(
        "A CA key of a type that is not accepted is refused",
        arguments: ["ssh-dss", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "x", ""]
    )
    func authorityType(name: String) throws {
        let blob = try Fixtures.handmade { $0.authorityBlob = HandmadeCertificate.string(name) }
        #expect(try Fixtures.refusal(of: blob) == .authorityKeyUnsupported)
    }
}

/// A key blob with a modulus of that many bits; not a usable key.
private func rsaBlob(bits: Int) -> [UInt8] {
    var modulus = [UInt8](repeating: 0xff, count: (bits + 7) / 8)
    modulus[0] = UInt8(1 << ((bits - 1) % 8 + 1) - 1)
    let magnitude = modulus[0] >= 0x80 ? [0] + modulus : modulus
    return HandmadeCertificate.string("ssh-rsa") + HandmadeCertificate.string([1, 0, 1])
        + HandmadeCertificate.string(magnitude)
}
