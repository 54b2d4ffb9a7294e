// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import CertificateFactory
import Identity
import Libcrypto
import OpenSSHCertificates
import Testing

struct CertificateVerifierTests {
    /// Counts the signature checks; accepts every signature.
    private final class CountingVerifier: SignatureVerifier {
        let calls = Counter()

        func isValid(_: Signature, over _: ArraySlice<UInt8>, by _: PublicKey) -> Bool {
            calls.increment()
            return true
        }
    }

    @Test("P4: a certificate as Entra's is verified, and says who it is for")
    func verified() throws {
        let blob = try Fixtures.handmade {
            $0.principals = ["bob@contoso.com", "Alice@Contoso.com"].map { Array($0.utf8) }
        }
        let verdict = Fixtures.verifier.verify(
            base64: Base64.encode(blob),
            declaredType: "ssh-rsa-cert-v01@openssh.com",
            against: try Fixtures.expectations()
        )
        guard case .verified(let certificate) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(certificate.identity.objectID.description == CertificateDetails.objectID)
        #expect(certificate.identity.tenant.description == CertificateDetails.tenantID)
        #expect(certificate.keyType == "ssh-rsa-cert-v01@openssh.com")
        // As the certificate spells it.
        #expect(certificate.principal == "Alice@Contoso.com")
        #expect(certificate.displayName == "Alice Example")
        #expect(certificate.keyID == "\(CertificateDetails.objectID)@\(CertificateDetails.tenantID)")
        #expect(certificate.serial == 0)
        #expect(certificate.blob == blob)
    }

    @Test(
        "Every kind of key and of CA that is allowed is verified, as ssh-keygen signs",
        arguments: [KeyKind.rsa(bits: 2048), .ecdsa(bits: 256), .ecdsa(bits: 384), .ecdsa(bits: 521), .ed25519]
    )
    func kinds(kind: KeyKind) throws {
        let factory = try Fixtures.keys().factory
        let key = try factory.makeKey(kind)
        let algorithms: [String?] = if case .rsa = kind { ["rsa-sha2-256", "rsa-sha2-512"] } else { [nil] }
        for algorithm in algorithms {
            var details = Fixtures.details
            details.signatureAlgorithm = algorithm
            let blob = try factory.certify(key, by: key, details)
            var expectations = try Fixtures.expectations()
            expectations.authorityKeys = [try PublicKey(parsing: key.blob)]
            #expect(try Fixtures.refusal(of: blob, against: expectations) == nil)
            let certificate = try Certificate(parsing: blob)
            #expect(certificate.signature.algorithm.rawValue == algorithm ?? certificate.authorityKey.type.rawValue)
            #expect(certificate.publicKey.blob == key.blob)
        }
    }

    @Test("The declared key type must be the certificate's")
    func declaredType() throws {
        let text = Base64.encode(try Fixtures.small())
        let expectations = try Fixtures.expectations()
        let right = Fixtures.verifier.verify(
            base64: text,
            declaredType: "ssh-ed25519-cert-v01@openssh.com",
            against: expectations
        )
        guard case .verified = right else {
            Issue.record("\(right)")
            return
        }
        for type in ["ssh-rsa-cert-v01@openssh.com", "ssh-ed25519", "", "SSH-ED25519-cert-v01@openssh.com"] {
            let verdict = Fixtures.verifier.verify(base64: text, declaredType: type, against: expectations)
            #expect(verdict == .refused(.keyTypeMismatch, detail: "sshd says otherwise"))
        }
    }

    @Test("Text that is not strict base64 is refused", arguments: ["\n", " ", "=", "AAAA", "#", "\u{e9}"])
    func base64(tail: String) throws {
        let text = Base64.encode(try Fixtures.small()) + tail
        let verdict = Fixtures.verifier.verify(
            base64: text,
            declaredType: "ssh-ed25519-cert-v01@openssh.com",
            against: try Fixtures.expectations()
        )
        guard case .refused(let refusal, _) = verdict else {
            Issue.record("verified with a tail")
            return
        }
        #expect(refusal == .notBase64 || refusal == .malformed)
    }

    @Test("What is no certificate is refused", arguments: ["", "AAAA", "!", "AAAAB3NzaC1yc2E=", "garbage"])
    func garbage(text: String) throws {
        let verdict = Fixtures.verifier.verify(
            base64: text,
            declaredType: "ssh-ed25519-cert-v01@openssh.com",
            against: try Fixtures.expectations()
        )
        guard case .refused(let refusal, _) = verdict else {
            Issue.record("verified")
            return
        }
        #expect([.notBase64, .malformed, .keyTypeUnsupported].contains(refusal))
    }

    @Test("P4: dates and unknown authorities are refused before any signature is checked")
    func order() throws {
        let counting = CountingVerifier()
        let verifier = CertificateVerifier(signatures: counting, digests: LibcryptoDigests())
        let blob = try Fixtures.small()
        let late = try Fixtures.expectations(now: Fixtures.now + 3_600)
        #expect(try Fixtures.refusal(of: blob, against: late, by: verifier) == .expired)
        var distrusting = try Fixtures.expectations()
        distrusting.authorityKeys = []
        #expect(try Fixtures.refusal(of: blob, against: distrusting, by: verifier) == .authorityUnknown)
        #expect(counting.calls.value == 0)
        let stranger = try Fixtures.expectations(loginName: "mallory@contoso.com")
        #expect(try Fixtures.refusal(of: blob, against: stranger, by: verifier) == .wrongName)
        #expect(counting.calls.value == 1)
    }

    @Test("Every reason has a plain text and a code of its own")
    func reasons() {
        #expect(CertificateRefusal.allCases.allSatisfy { !$0.text.isEmpty && !$0.text.contains("\n") })
        #expect(Set(CertificateRefusal.allCases.map(\.rawValue)).count == CertificateRefusal.allCases.count)
        let codes = CertificateRefusal.allCases.map(\.rawValue).joined()
        #expect(codes.allSatisfy { $0 == "-" || $0.isNumber || $0.isLowercase && $0.isASCII })
    }
}
