// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import OpenSSHCertificates
import Testing

struct PrincipalRuleTests {
    private func refusal(
        principals: [String],
        loginName: String = CertificateDetails.principal
    ) throws -> CertificateRefusal? {
        let blob = try Fixtures.handmade { $0.principals = principals.map { Array($0.utf8) } }
        return try Fixtures.refusal(of: blob, against: Fixtures.expectations(loginName: loginName))
    }

    @Test("P4: a certificate without principals signs nobody in (CVE-2024-7594)")
    func none() throws {
        #expect(try Fixtures.refusal(of: Fixtures.small { $0.principals = [] }) == .noPrincipals)
    }

    @Test(
        "P16: whose certificate it is, is said; for a GUID also that a service principal has its object id as its name"
    )
    func words() throws {
        let certificate = try Certificate(parsing: Fixtures.small())
        func detail(_ loginName: String) throws -> String {
            let expectations = try Fixtures.expectations(loginName: loginName)
            guard case .refused(.wrongName, let detail) = Fixtures.verifier.verify(certificate, against: expectations)
            else { return "not refused so" }
            return detail
        }
        #expect(try detail("bob@contoso.com") == "it is for \(CertificateDetails.principal), not for bob@contoso.com")
        let clientID = "deadbeef-0000-4000-8000-000000000000"
        #expect(
            try detail(clientID).hasSuffix(
                "\(clientID); a service principal signs in by its object id, not by its client id"
            )
        )
    }

    @Test("One principal must be the login name; its letter case does not matter")
    func match() throws {
        #expect(try refusal(principals: ["alice@contoso.com"]) == nil)
        #expect(try refusal(principals: ["Alice@Contoso.COM"]) == nil)
        #expect(try refusal(principals: ["bob@contoso.com", "alice@contoso.com"]) == nil)
        #expect(try refusal(principals: ["bob@contoso.com"]) == .wrongName)
        #expect(try refusal(principals: ["alice@contoso.co"]) == .wrongName)
        #expect(try refusal(principals: ["alice@contoso.com."]) == .wrongName)
        #expect(try refusal(principals: ["o'brien@contoso.com"], loginName: "o'brien@contoso.com") == nil)
    }

    @Test("A login name that is not in lower case matches nothing")
    func loginNameCase() throws {
        #expect(try refusal(principals: ["ALICE@contoso.com"], loginName: "ALICE@contoso.com") == .wrongName)
        #expect(try refusal(principals: ["alice@contoso.com"], loginName: "") == .wrongName)
    }

    @Test("No letter of another alphabet becomes an ASCII one")
    func kelvin() throws {
        let kelvin = "\u{212a}arl@contoso.com"
        #expect(kelvin.lowercased() == "karl@contoso.com")
        #expect(try refusal(principals: [kelvin], loginName: "karl@contoso.com") == .principalMalformed)
    }

    @Test(
        "P4: one principal that is not well-formed spoils the certificate (CVE-2026-35414)",
        arguments: [
            "", "a,b@contoso.com", "a b@contoso.com", "a\tb", "a\nb", "\"a\"@contoso.com", "a\\b", "a\u{7f}b",
            "a\u{1}b",
            "caf\u{e9}@contoso.com", "a#b@contoso.com", "#", "\u{202e}moc",
        ]
    )
    func malformed(principal: String) throws {
        #expect(try refusal(principals: ["alice@contoso.com", principal]) == .principalMalformed)
        #expect(try refusal(principals: [principal], loginName: principal) == .principalMalformed)
    }

    @Test("Bytes that are not UTF-8, and NUL, are refused", arguments: [[0xff], [0x61, 0x00], [0xc0, 0x80]])
    func bytes(principal: [UInt8]) throws {
        #expect(try Fixtures.refusal(of: Fixtures.handmade { $0.principals.append(principal) }) == .malformed)
    }

    @Test(
        "The directory form of a guest's name is refused with its own reason",
        arguments: ["bob_fabrikam.com#EXT#@contoso.onmicrosoft.com", "bob_fabrikam.com#ext#@contoso.onmicrosoft.com"]
    )
    func guest(principal: String) throws {
        #expect(try refusal(principals: [principal], loginName: principal.lowercased()) == .guestPrincipal)
    }

    @Test("More principals, or longer ones, than OpenSSH or Entra know are refused")
    func limits() throws {
        let many = (0..<256).map { "u\($0)@contoso.com" }
        #expect(try refusal(principals: many.dropLast() + ["alice@contoso.com"]) == nil)
        #expect(try refusal(principals: many + ["alice@contoso.com"]) == .tooLarge)
        #expect(try refusal(principals: ["alice@contoso.com", String(repeating: "a", count: 257)]) == .tooLarge)
        #expect(try refusal(principals: ["alice@contoso.com", String(repeating: "a", count: 256)]) == nil)
    }
}
