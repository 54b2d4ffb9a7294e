// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import CertificateFactory
import Libcrypto
import OpenSSHCertificates
import Testing

struct SignatureRuleTests {
    private struct FailingVerifier: SignatureVerifier {
        func isValid(
            _: Signature,
            over _: ArraySlice<UInt8>,
            by _: PublicKey
        ) throws(SignatureCheckFailure) -> Bool {
            throw SignatureCheckFailure(detail: "no memory")
        }
    }

    /// A valid body followed by another signature blob.
    private func certificate(signature: [UInt8]) throws -> [UInt8] {
        let good = try Certificate(parsing: Fixtures.handmade())
        return Array(good.signedBytes) + HandmadeCertificate.string(signature)
    }

    @Test("P4: a signature over other bytes is refused")
    func otherBytes() throws {
        let keys = try Fixtures.keys()
        let signature = try keys.factory.sign([1, 2, 3], by: keys.rsaAuthority)
        #expect(try Fixtures.refusal(of: certificate(signature: signature)) == .signatureInvalid)
    }

    @Test("P4: a signature by another key is refused")
    func otherKey() throws {
        let keys = try Fixtures.keys()
        let body = Array(try Certificate(parsing: Fixtures.handmade()).signedBytes)
        let signature = try keys.factory.sign(body, by: keys.rsaUser)
        #expect(try Fixtures.refusal(of: certificate(signature: signature)) == .signatureInvalid)
    }

    @Test("The digest that the algorithm names is the one that counts")
    func otherDigest() throws {
        let keys = try Fixtures.keys()
        let body = Array(try Certificate(parsing: Fixtures.handmade()).signedBytes)
        let signature = try keys.factory.sign(body, by: keys.rsaAuthority, digest: 512)
        #expect(try Fixtures.refusal(of: certificate(signature: signature)) == nil)
        let renamed = HandmadeCertificate.string("rsa-sha2-256") + signature.dropFirst(16)
        #expect(try Fixtures.refusal(of: certificate(signature: renamed)) == .signatureInvalid)
    }

    @Test(
        "P4: RSA with SHA-1, and what is no accepted signature algorithm, is refused",
        arguments: ["ssh-rsa", "ssh-dss", "rsa-sha2-256-cert-v01@openssh.com", "RSA-SHA2-256", "none", ""]
    )
    func algorithm(name: String) throws {
        let signature = HandmadeCertificate.string(name) + HandmadeCertificate.string([UInt8](repeating: 1, count: 256))
        #expect(try Fixtures.refusal(of: certificate(signature: signature)) == .signatureAlgorithmRefused)
    }

    @Test("A signature algorithm of another type of key is refused", arguments: ["ssh-ed25519", "ecdsa-sha2-nistp256"])
    func mismatch(name: String) throws {
        let signature = HandmadeCertificate.string(name) + HandmadeCertificate.string([UInt8](repeating: 1, count: 64))
        #expect(try Fixtures.refusal(of: certificate(signature: signature)) == .signatureAlgorithmMismatch)
    }

    @Test("An RSA signature that is not as long as the modulus is refused", arguments: [0, 255, 257])
    func length(count: Int) throws {
        let signature =
            HandmadeCertificate.string("rsa-sha2-256")
            + HandmadeCertificate.string([UInt8](repeating: 1, count: count))
        let refusal = try Fixtures.refusal(of: certificate(signature: signature))
        #expect(refusal == (count > 256 ? .tooLarge : .malformed))
    }

    @Test("Bytes behind the signature, inside its blob and behind it, are refused")
    func trailing() throws {
        let keys = try Fixtures.keys()
        let body = Array(try Certificate(parsing: Fixtures.handmade()).signedBytes)
        let signature = try keys.factory.sign(body, by: keys.rsaAuthority)
        #expect(try Fixtures.refusal(of: certificate(signature: signature)) == nil)
        #expect(try Fixtures.refusal(of: certificate(signature: signature + [0])) == .malformed)
        #expect(try Fixtures.refusal(of: certificate(signature: signature) + [0]) == .malformed)
    }

    @Test("A signature that cannot be checked is refused, and the record says why")
    func failure() throws {
        let verifier = CertificateVerifier(signatures: FailingVerifier(), digests: LibcryptoDigests())
        let certificate = try Certificate(parsing: Fixtures.small())
        let verdict = verifier.verify(certificate, against: try Fixtures.expectations())
        #expect(verdict == .refused(.signatureNotChecked, detail: "no memory"))
    }
}
