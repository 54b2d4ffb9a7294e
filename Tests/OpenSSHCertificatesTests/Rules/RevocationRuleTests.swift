// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import CertificateFactory
import Libcrypto
import OpenSSHCertificates
import Testing

struct RevocationRuleTests {
    private struct NoDigests: KeyDigests {
        func digest(_: FingerprintAlgorithm, of _: [UInt8]) -> [UInt8]? { nil }
    }

    /// An Ed25519 key certified by the ECDSA CA, serial 77.
    private let blob: [UInt8]
    private let keys: Fixtures.Keys

    init() throws {
        keys = try Fixtures.keys()
        blob = try Fixtures.small { $0.serial = 77 }
    }

    private func result(_ list: [UInt8], digests: any KeyDigests = LibcryptoDigests()) throws -> RuleResult {
        RevocationRule(list: try KeyRevocationList(parsing: list), digests: digests).check(
            try Certificate(parsing: blob)
        )
    }

    @Test(
        "P4: a serial revokes, alone, in a range and in a bitmap, and nothing beside it does",
        arguments: [
            (["serial: 77"], true), (["serial: 70-80"], true), (["serial: 77-78"], true),
            (["serial: 1-18446744073709551615"], true), ((60...90).map { "serial: \($0 * 7)" }, false),
            ((10...14).map { "serial: \($0 * 7)" }, true), (["serial: 76", "serial: 78"], false),
            (["serial: 78-100"], false), (["serial: 0x4d"], true), (["serial: 18446744073709551615"], false),
        ]
    )
    func serials(specification: [String], isRevoked: Bool) throws {
        let expected: RuleResult = isRevoked ? .refused(.revoked, detail: "by serial") : .satisfied
        #expect(try result(keys.factory.revoke(specification)) == expected)
        #expect(try result(keys.factory.revoke(specification, of: keys.ecdsaAuthority)) == expected)
        #expect(try result(keys.factory.revoke(specification, of: keys.rsaAuthority)) == .satisfied)
    }

    @Test("P4: a key id revokes, of its CA or of any; in another spelling it does not")
    func keyIDs() throws {
        let keyID = "\(CertificateDetails.objectID)@\(CertificateDetails.tenantID)"
        let refused = RuleResult.refused(.revoked, detail: "by key id")
        #expect(try result(keys.factory.revoke(["id: \(keyID)"])) == refused)
        #expect(try result(keys.factory.revoke(["id: \(keyID)"], of: keys.ecdsaAuthority)) == refused)
        #expect(try result(keys.factory.revoke(["id: \(keyID)"], of: keys.rsaAuthority)) == .satisfied)
        #expect(try result(keys.factory.revoke(["id: \(keyID.uppercased())", "id: a"])) == .satisfied)
    }

    @Test(
        "P4: the certified key and the CA key revoke, as they are and by fingerprint",
        arguments: ["key", "sha1", "sha256"]
    )
    func keyForms(directive: String) throws {
        let ending = directive == "key" ? "" : ", by fingerprint"
        let user = try keys.factory.revoke(["\(directive): \(keys.ed25519User.line)"])
        #expect(try result(user) == .refused(.revoked, detail: "the certified key\(ending)"))
        let authority = try keys.factory.revoke(["\(directive): \(keys.ecdsaAuthority.line)"])
        #expect(try result(authority) == .refused(.revoked, detail: "the CA key\(ending)"))
        #expect(try result(keys.factory.revoke(["\(directive): \(keys.rsaUser.line)"])) == .satisfied)
    }

    @Test("P4: a plain list of keys revokes the certified key, the CA key and the certificate itself")
    func plainList() throws {
        let text = { (lines: [String]) in Array(lines.joined(separator: "\n").utf8) }
        let certificate = "ssh-ed25519-cert-v01@openssh.com \(Base64.encode(blob)) stolen"
        #expect(try result(text([])) == .satisfied)
        #expect(try result(text(["# nobody", "", keys.rsaUser.line])) == .satisfied)
        #expect(try result(text([keys.ed25519User.line])) == .refused(.revoked, detail: "the certified key"))
        #expect(try result(text([keys.ecdsaAuthority.line, ""])) == .refused(.revoked, detail: "the CA key"))
        #expect(try result(text([certificate])) == .refused(.revoked, detail: "itself"))
    }

    @Test("P4: a fingerprint that cannot be computed counts as found")
    func noDigests() throws {
        let list = try keys.factory.revoke(["sha256: \(keys.rsaUser.line)"])
        let refused = RuleResult.refused(.revocationNotChecked, detail: "SHA-256 is not available")
        #expect(try result(list, digests: NoDigests()) == refused)
        #expect(try result(keys.factory.revoke(["key: \(keys.rsaUser.line)"]), digests: NoDigests()) == .satisfied)
    }

    @Test("A serial of zero is no serial: such certificates are revoked by key id or key")
    func serialZero() throws {
        let unnumbered = try Certificate(parsing: Fixtures.small())
        let list = try KeyRevocationList(parsing: keys.factory.revoke(["serial: 1-18446744073709551615"]))
        #expect(RevocationRule(list: list, digests: LibcryptoDigests()).check(unnumbered) == .satisfied)
    }

    @Test("P4: the verifier applies the list, and says revoked only of what the CA signed")
    func verifier() throws {
        let list = try KeyRevocationList(parsing: keys.factory.revoke(["key: \(keys.ed25519User.line)"]))
        var expectations = try Fixtures.expectations()
        #expect(try Fixtures.refusal(of: blob, against: expectations) == nil)
        expectations.revoked = list
        #expect(try Fixtures.refusal(of: blob, against: expectations) == .revoked)
        #expect(try Fixtures.refusal(of: Fixtures.handmade(), against: expectations) == nil)
        var forged = blob
        forged[forged.count - 1] ^= 1
        #expect(try Fixtures.refusal(of: forged, against: expectations) == .signatureInvalid)
    }

    @Test("A key alone is checked, too, for the list that sshd is given")
    func key() throws {
        let list = try KeyRevocationList(parsing: keys.factory.revoke(["sha1: \(keys.rsaAuthority.line)"]))
        let rule = RevocationRule(list: list, digests: LibcryptoDigests())
        #expect(rule.check(try PublicKey(line: keys.rsaAuthority.line)) != .satisfied)
        #expect(rule.check(try PublicKey(line: keys.ecdsaAuthority.line)) == .satisfied)
    }
}
