// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import Libcrypto
import OpenSSHCertificates
import Testing

struct LibcryptoSignatureVerifierTests {
    private static let made = Result { try CertificateFactory() }

    private func certificate(by kind: KeyKind, algorithm: String? = nil) throws -> Certificate {
        let factory = try Self.made.get()
        let key = try factory.makeKey(kind)
        var details = CertificateDetails(now: 1_767_225_600)
        details.signatureAlgorithm = algorithm
        return try Certificate(parsing: factory.certify(key, by: key, details))
    }

    @Test(
        "Signatures of every algorithm hold over their bytes and over no others",
        arguments: [
            (KeyKind.rsa(bits: 2048), "rsa-sha2-256"), (.rsa(bits: 2048), "rsa-sha2-512"), (.ecdsa(bits: 256), nil),
            (.ecdsa(bits: 384), nil), (.ecdsa(bits: 521), nil), (.ed25519, nil),
        ] as [(KeyKind, String?)]
    )
    func algorithms(kind: KeyKind, algorithm: String?) throws {
        let verifier = LibcryptoSignatureVerifier()
        let certificate = try certificate(by: kind, algorithm: algorithm)
        let (signature, key) = (certificate.signature, certificate.authorityKey)
        #expect(try verifier.isValid(signature, over: certificate.signedBytes, by: key))
        #expect(try verifier.isValid(signature, over: certificate.signedBytes.dropLast(), by: key) == false)
        #expect(try verifier.isValid(signature, over: [], by: key) == false)
        var changed = certificate.signedBytes
        changed[changed.startIndex] ^= 1
        #expect(try verifier.isValid(signature, over: changed, by: key) == false)
        let other = try self.certificate(by: kind, algorithm: algorithm).authorityKey
        #expect(try verifier.isValid(signature, over: certificate.signedBytes, by: other) == false)
    }

    @Test("A key of another type never fits a signature")
    func mismatch() throws {
        let verifier = LibcryptoSignatureVerifier()
        let small = try certificate(by: .ed25519)
        let other = try certificate(by: .ecdsa(bits: 256)).authorityKey
        #expect(try verifier.isValid(small.signature, over: small.signedBytes, by: other) == false)
        #expect(verifier.keyCount == 0)
    }

    @Test("A point that is not on its curve is a failure that says so, never a yes")
    func badPoint() throws {
        let certificate = try certificate(by: .ecdsa(bits: 256))
        let point: [UInt8] = [4] + [UInt8](repeating: 1, count: 64)
        let key = try PublicKey(type: .ecdsaP256, fields: .ecdsa(.p256, point: point))
        let error = #expect(throws: SignatureCheckFailure.self) {
            try LibcryptoSignatureVerifier()
                .isValid(certificate.signature, over: certificate.signedBytes, by: key)
        }
        #expect(error?.detail.hasPrefix("d2i_PUBKEY: ") == true)
    }

    @Test("Keys are kept once each, and no more than the bound")
    func cache() throws {
        let verifier = LibcryptoSignatureVerifier()
        let certificate = try certificate(by: .ed25519)
        for _ in 0..<3 {
            _ = try verifier.isValid(certificate.signature, over: [], by: certificate.authorityKey)
        }
        #expect(verifier.keyCount == 1)
        for number in 0..<100 {
            let bytes = [UInt8](repeating: UInt8(number), count: 32)
            let key = try PublicKey(type: .ed25519, fields: .ed25519(bytes))
            _ = try? verifier.isValid(certificate.signature, over: [], by: key)
        }
        #expect(verifier.keyCount == LibcryptoSignatureVerifier.keptKeys)
        #expect(
            try verifier.isValid(certificate.signature, over: certificate.signedBytes, by: certificate.authorityKey)
        )
    }

    @Test("Many threads may check with one verifier")
    func threads() async throws {
        let verifier = LibcryptoSignatureVerifier()
        let certificates = [try certificate(by: .ed25519), try certificate(by: .ecdsa(bits: 256))]
        let valid = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                let certificate = certificates[number % 2]
                group.addTask {
                    let isValid = try? verifier.isValid(
                        certificate.signature,
                        over: certificate.signedBytes,
                        by: certificate.authorityKey
                    )
                    return isValid == true
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(valid == 200)
    }
}
