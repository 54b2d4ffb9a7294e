// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import CertificateFactory
import OpenSSHCertificates
import Testing

struct CertificateParsingTests {
    private func error(_ blob: [UInt8]) -> CertificateFormatError? {
        do {
            _ = try Certificate(parsing: blob)
            return nil
        } catch {
            return error
        }
    }

    @Test("Every field of a certificate of ssh-keygen's is read")
    func fields() throws {
        let keys = try Fixtures.keys()
        let blob = try Fixtures.small {
            $0.serial = .max
            $0.principals = ["alice@contoso.com", "bob@contoso.com"]
            $0.options.append("force-command=/bin/true")
        }
        let certificate = try Certificate(parsing: blob)
        #expect(certificate.blob == blob)
        #expect(certificate.typeName == "ssh-ed25519-cert-v01@openssh.com")
        #expect(certificate.publicKey.blob == keys.ed25519User.blob)
        #expect(certificate.nonce.count == 32)
        #expect(certificate.serial == .max)
        #expect(certificate.purpose == .user)
        #expect(certificate.keyID == "\(CertificateDetails.objectID)@\(CertificateDetails.tenantID)")
        #expect(certificate.principals == ["alice@contoso.com", "bob@contoso.com"])
        #expect(certificate.validAfter == UInt64(Fixtures.now) - 300)
        #expect(certificate.validBefore == UInt64(Fixtures.now) + 3_600)
        #expect(certificate.criticalOptions["force-command"]?.nestedText == "/bin/true")
        #expect(certificate.criticalOptions["source-address"] == nil)
        #expect(certificate.extensions.all.count == 8)
        #expect(certificate.extensions["permit-pty"]?.content == [])
        #expect(certificate.authorityKey.blob == keys.ecdsaAuthority.blob)
        #expect(certificate.signature.algorithm == .ecdsaP256)
        #expect(try Certificate(base64: Base64.encode(blob)) == certificate)
    }

    @Test("The signed bytes are those before the signature, as received")
    func signedBytes() throws {
        let keys = try Fixtures.keys()
        let body = HandmadeCertificate(key: keys.rsaUser, authority: keys.rsaAuthority, details: Fixtures.details)
        let certificate = try Certificate(parsing: body.signed(by: keys.rsaAuthority, with: keys.factory))
        #expect(Array(certificate.signedBytes) == body.signedBytes)
    }

    @Test(
        "Only user keys of our types, in certificates of version 01, are read",
        arguments: [
            "ssh-rsa", "ssh-dss-cert-v01@openssh.com", "ssh-rsa-cert-v00@openssh.com",
            "sk-ssh-ed25519-cert-v01@openssh.com", "rsa-sha2-256-cert-v01@openssh.com", "-cert-v01@openssh.com", "",
        ]
    )
    func types(name: String) throws {
        let refused = error(try Fixtures.handmade { $0.typeName = name })
        #expect(refused?.refusal == .keyTypeUnsupported)
        #expect(refused?.field == "key type")
    }

    @Test("Each field has a limit, and the refusal names the field")
    func limits() throws {
        let check = { (count: Int, field: String, edit: (inout HandmadeCertificate, [UInt8]) -> Void) in
            let fits = try Fixtures.handmade { edit(&$0, [UInt8](repeating: 0x61, count: count)) }
            #expect(error(fits) == nil, "\(field)")
            let more = error(try Fixtures.handmade { edit(&$0, [UInt8](repeating: 0x61, count: count + 1)) })
            #expect(more?.refusal == .tooLarge && more?.field == field, "\(field)")
        }
        try check(Certificate.Limit.nonceBytes, "nonce") { $0.nonce = $1 }
        try check(Certificate.Limit.keyIDBytes, "key id") { $0.keyID = $1 }
        try check(Certificate.Limit.reservedBytes, "reserved") { $0.reserved = $1 }
        try check(Certificate.Limit.principalBytes, "valid principals") { $0.principals = [$1] }
        let whole = error([UInt8](repeating: 0, count: Certificate.Limit.blobBytes + 1))
        #expect(whole?.refusal == .tooLarge && whole?.field == "certificate")
        let text = String(repeating: "A", count: 16_388)
        #expect(throws: CertificateFormatError.self) { try Certificate(base64: text) }
    }

    @Test("A key id that is not text is refused", arguments: [[0xff], [0x61, 0], [0xed, 0xa0, 0x80]])
    func keyID(bytes: [UInt8]) throws {
        let refused = error(try Fixtures.handmade { $0.keyID = bytes })
        #expect(refused?.refusal == .malformed && refused?.field == "key id")
    }

    @Test("P13: lists whose inner lengths do not add up are refused")
    func innerLengths() throws {
        let keys = try Fixtures.keys()
        var body = HandmadeCertificate(key: keys.rsaUser, authority: keys.rsaAuthority, details: Fixtures.details)
        body.principals = []
        // Replaces the empty list of principals by one of four bytes, whose only entry claims to have five.
        let bytes = body.signedBytes
        let empty = bytes.count - Array(body.tailBehindPrincipals).count - 4
        let broken = Array(bytes[..<empty]) + [0, 0, 0, 4, 0, 0, 0, 5] + body.tailBehindPrincipals
        let signature = HandmadeCertificate.string(try keys.factory.sign(broken, by: keys.rsaAuthority))
        let refused = error(broken + signature)
        #expect(refused?.refusal == .malformed && refused?.field == "valid principals")
    }
}

extension HandmadeCertificate {
    /// The signed bytes that follow the list of principals.
    fileprivate var tailBehindPrincipals: [UInt8] {
        var shorter = self
        shorter.keyID = []
        shorter.principals = []
        let head = Self.string(typeName).count + Self.string(nonce).count + keyFields.count + 8 + 4 + 4 + 4
        return Array(shorter.signedBytes.dropFirst(head))
    }
}
