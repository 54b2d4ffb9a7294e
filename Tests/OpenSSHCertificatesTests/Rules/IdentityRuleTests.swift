// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import Identity
import OpenSSHCertificates
import Testing

/// IdentityRule and TenantRule.
struct IdentityRuleTests {
    private static let objectName = "oid@sshservice.azure.net"
    private static let tenantName = "tid@sshservice.azure.net"

    private func refusal(_ name: String, content: [UInt8]?) throws -> CertificateRefusal? {
        let blob = try Fixtures.handmade { certificate in
            guard let index = certificate.extensions.firstIndex(where: { $0.name == name }) else { return }
            if let content {
                certificate.extensions[index].content = content
            } else {
                certificate.extensions.remove(at: index)
            }
        }
        return try Fixtures.refusal(of: blob)
    }

    @Test("P4: object id and tenant id must both be there")
    func missing() throws {
        #expect(try refusal(Self.objectName, content: nil) == .objectIDMissing)
        #expect(try refusal(Self.tenantName, content: nil) == .tenantIDMissing)
    }

    @Test(
        "Each is one nested string that holds a GUID and nothing else",
        arguments: [
            [], Array(CertificateDetails.objectID.utf8), HandmadeCertificate.string(""),
            HandmadeCertificate.string(CertificateDetails.objectID) + [0],
            HandmadeCertificate.string(CertificateDetails.objectID).dropLast(),
            HandmadeCertificate.string("aaaaaaaa111142228333444444444444"),
            HandmadeCertificate.string("{aaaaaaaa-1111-4222-8333-44444444444}"),
            HandmadeCertificate.string("aaaaaaaa-1111-4222-8333-44444444444g"),
            HandmadeCertificate.string("aaaaaaaa-1111-4222-83334-44444444444"),
            HandmadeCertificate.string("aaaaaaaa-1111-4222-8333-4444444444444"),
            HandmadeCertificate.string("aaaaaaaa-1111-4222-8333-44444444444\n"),
            HandmadeCertificate.string("../../../../../../../../../etc/shadow"),
        ] as [[UInt8]]
    )
    func form(content: [UInt8]) throws {
        #expect(try refusal(Self.objectName, content: content) == .objectIDMalformed)
        #expect(try refusal(Self.tenantName, content: content) == .tenantIDMalformed)
    }

    @Test("P4: the key id must say the same as the extensions")
    func keyID() throws {
        let (object, tenant) = (CertificateDetails.objectID, CertificateDetails.tenantID)
        let refusal = { (keyID: String) in try Fixtures.refusal(of: Fixtures.handmade { $0.keyID = Array(keyID.utf8) })
        }
        #expect(try refusal("\(object.uppercased())@\(tenant.uppercased())") == nil)
        for keyID in ["", object, "\(tenant)@\(object)", "\(object)@\(tenant) ", "\(object)@\(tenant)@", "\(object)@"] {
            #expect(try refusal(keyID) == .keyIDMismatch)
        }
        let other = HandmadeCertificate.string("99999999-1111-4222-8333-444444444444")
        #expect(try self.refusal(Self.objectName, content: other) == .keyIDMismatch)
        #expect(try self.refusal(Self.tenantName, content: other) == .keyIDMismatch)
    }

    @Test("P4: a certificate of another tenant is refused, although Entra's key signed it")
    func tenant() throws {
        let other = "99999999-5555-4666-8777-888888888888"
        let blob = try Fixtures.handmade()
        #expect(try Fixtures.refusal(of: blob, against: Fixtures.expectations(tenantID: other)) == .wrongTenant)
        let upper = try Fixtures.expectations(tenantID: CertificateDetails.tenantID.uppercased())
        #expect(try Fixtures.refusal(of: blob, against: upper) == nil)
    }

    @Test("Ids in upper case are read, and given in lower case")
    func letterCase() throws {
        let blob = try Fixtures.handmade {
            $0.extensions[1].content = HandmadeCertificate.string(CertificateDetails.objectID.uppercased())
        }
        let certificate = try Certificate(parsing: blob)
        guard case .verified(let verified) = Fixtures.verifier.verify(certificate, against: try Fixtures.expectations())
        else {
            Issue.record("not verified")
            return
        }
        #expect(verified.identity.objectID.description == CertificateDetails.objectID)
    }

    @Test("A display name decides nothing, missing or unreadable")
    func displayName() throws {
        for content in [nil, [], [1, 2, 3], HandmadeCertificate.string([0xff])] as [[UInt8]?] {
            #expect(try refusal("displayname@sshservice.azure.net", content: content) == nil)
        }
    }
}
