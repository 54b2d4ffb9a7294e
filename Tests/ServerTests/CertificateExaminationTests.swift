// SPDX-License-Identifier: Apache-2.0

import AccessControl
import Authorization
import ByteCoding
import CertificateFactory
import Identity
import OpenSSHCertificates
import Testing
import Wire

@testable import Server

@Suite struct CertificateExaminationTests {
    let factory: CertificateFactory
    let key: KeyPair
    let authority: KeyPair

    init() throws {
        factory = try CertificateFactory()
        key = try factory.makeKey(.ed25519)
        authority = try factory.makeKey(.ed25519)
    }

    func line(_ details: CertificateDetails = CertificateDetails(now: 1_700_000_000)) throws -> String {
        "ssh-ed25519-cert-v01@openssh.com \(Base64.encode(try factory.certify(key, by: authority, details)))"
    }

    /// Examines the line with a fake check, which accepts it or throws `denial`; returns the report and the question.
    func examine(_ line: String, user: String = "", refusing denial: Denial? = nil)
        -> (report: CertificateReport, asked: [String])
    {
        var asked: [String] = []
        let examination = CertificateExamination { keyType, base64, name throws(Denial) in
            asked = [keyType, base64, name.text]
            if let denial { throw denial }
            return "Alice@contoso.com"
        }
        let report = examination.report(user: user, certificate: line)
        return (report, asked)
    }

    @Test("A good certificate is described, and the rules are asked about its own principal")
    func acceptable() throws {
        var details = CertificateDetails(now: 1_700_000_000)
        details.serial = .max
        details.principals = ["Alice@contoso.com"]
        let line = try line(details)
        let (report, asked) = examine(line + " comment\n")
        #expect(report.isAcceptable)
        #expect(report.reason == nil)
        #expect(report.text == "good for Alice@contoso.com")
        #expect(report.keyType == "ssh-ed25519-cert-v01@openssh.com")
        #expect(report.keyID == "\(CertificateDetails.objectID)@\(CertificateDetails.tenantID)")
        #expect(report.serial == "18446744073709551615")
        #expect(report.principals == ["Alice@contoso.com"])
        #expect(report.objectID == CertificateDetails.objectID)
        #expect(report.tenantID == CertificateDetails.tenantID)
        #expect(report.validAfter == 1_699_999_700)
        #expect(report.validBefore == 1_700_003_600)
        #expect(report.authority?.hasPrefix("SHA256:") == true)
        #expect(asked == line.split(separator: " ").map(String.init) + ["alice@contoso.com"])
    }

    @Test("The rules are asked about the name that was given, folded to lower case")
    func givenName() throws {
        #expect(examine(try line(), user: "BOB@contoso.com").asked.last == "bob@contoso.com")
    }

    @Test("A refusal has its reason, its text and its particulars, and the certificate is described all the same")
    func refused() throws {
        let report = examine(try line(), refusing: Denial(.wrongTenant, detail: "tid")).report
        #expect(!report.isAcceptable)
        #expect(report.reason == "wrong-tenant")
        #expect(report.text == "\(DenialReason.wrongTenant.text) (tid)")
        #expect(report.objectID == CertificateDetails.objectID)
        #expect(examine(try line(), refusing: Denial(.certificate)).report.text == DenialReason.certificate.text)
    }

    @Test("Every rule has a step, whatever the first one says, with its reason, dates for people, and a remedy")
    func steps() throws {
        let now: Int64 = 1_800_000_000
        let verifier = CertificateVerifier(signatures: NoSignature(), digests: NoDigests())
        let tenant = try #require(TenantID("11111111-1111-4111-8111-111111111111"))
        let examination = CertificateExamination(
            verify: { _, _, _ throws(Denial) in throw Denial(.certificate) },
            examine: { certificate, name in
                verifier.examine(
                    certificate,
                    against: CertificateExpectations(loginName: name, tenant: tenant, authorityKeys: [], now: now)
                )
            }
        )
        let report = examination.report(user: "bob@contoso.com", certificate: try line())
        let bad = report.steps.filter { $0.outcome == .bad }
        #expect(bad.map(\.title) == ["authority", "validity", "signature", "name", "tenant"])
        #expect(report.steps.count == 12 && report.steps.first?.outcome == .good)
        #expect(
            bad[1].text.contains(
                "expired: valid from 2023-11-14 22:08:20 UTC to 2023-11-14 23:13:20 UTC, now 2027-01-15"
            )
        )
        #expect(bad[0].remedy.contains("being fetched now") && !bad[4].remedy.isEmpty)
    }

    @Test("A name of no Entra account is refused without asking the rules", arguments: ["root", "a b", "x:y@z"])
    func notOurs(_ user: String) throws {
        let (report, asked) = examine(try line(), user: user)
        #expect(!report.isAcceptable)
        #expect(report.reason == "not-our-name")
        #expect(report.keyType != nil)
        #expect(asked.isEmpty)
    }

    @Test("A certificate for nobody is refused without asking the rules")
    func nobody() throws {
        var details = CertificateDetails(now: 1_700_000_000)
        details.principals = []
        let (report, asked) = examine(try line(details))
        #expect(report.reason == "not-our-name")
        #expect(asked.isEmpty)
    }

    @Test(
        "P13: what is no certificate is refused, with what is wrong",
        arguments: ["", " ", "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519-cert-v01@openssh.com !!!!", "x AAAA"]
    )
    func garbage(_ text: String) throws {
        let (report, asked) = examine(text)
        #expect(!report.isAcceptable)
        #expect(report.reason == "certificate")
        #expect(!report.text.isEmpty)
        #expect(report.keyType == nil)
        #expect(asked.isEmpty)
    }

    @Test("P12: what the certificate says of itself is one bounded line each")
    func hostile() throws {
        var details = CertificateDetails(now: 1_700_000_000)
        details.keyID = "\u{1b}[31m\n" + String(repeating: "k", count: 1_000)
        details.principals = (0..<100).map { "p\($0)@contoso.com" }
        let report = examine(try line(details)).report
        let keyID = try #require(report.keyID)
        #expect(keyID.hasPrefix("?[31m?kkk"))
        #expect(keyID.utf8.count <= 256)
        #expect(report.principals.count == 32)
        #expect(ReportText.json(report).count < 60_000)
    }
}

struct NoSignature: SignatureVerifier {
    func isValid(_: Signature, over _: ArraySlice<UInt8>, by _: PublicKey) throws(SignatureCheckFailure) -> Bool {
        false
    }
}

struct NoDigests: KeyDigests {
    func digest(_: FingerprintAlgorithm, of _: [UInt8]) -> [UInt8]? { nil }
}
