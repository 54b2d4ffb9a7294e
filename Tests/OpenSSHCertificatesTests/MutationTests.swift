// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import OpenSSHCertificates
import TestSupport
import Testing

/// Damages a valid certificate at every offset: no damaged one may be verified.
struct MutationTests {
    /// A certificate by each kind of CA; the certified keys are Ed25519 and RSA.
    private func certificates() throws -> [[UInt8]] {
        let keys = try Fixtures.keys()
        let rsaKey = try keys.factory.certify(keys.rsaUser, by: keys.ed25519Authority, Fixtures.details)
        return [try Fixtures.small(), try Fixtures.handmade(), rsaKey]
    }

    /// The offsets at which a changed bit is not refused. Tries one bit of every byte, in the deep tier all eight.
    private func unnoticed(in blob: [UInt8]) throws -> [Int] {
        let expectations = try Fixtures.expectations()
        #expect(try Fixtures.refusal(of: blob, against: expectations) == nil)
        var verified: [Int] = []
        for index in blob.indices {
            for bit in Tier.isDeep ? 0..<8 : index % 8..<index % 8 + 1 {
                var changed = blob
                changed[index] ^= 1 << UInt8(bit)
                if try Fixtures.refusal(of: changed, against: expectations) == nil { verified.append(index) }
            }
        }
        return verified
    }

    @Test("P4, P13: every truncation of a certificate is refused while it is read")
    func truncations() throws {
        for blob in try certificates() {
            #expect(try Fixtures.refusal(of: blob) == nil)
            for count in 0..<blob.count {
                let refusal = try Fixtures.refusal(of: Array(blob.prefix(count)))
                #expect(refusal == .malformed, "first \(count) bytes")
            }
        }
    }

    @Test("P4, P13: a change of one bit, in any byte of an ECDSA-signed certificate is refused")
    func ecdsaChanges() throws { #expect(try unnoticed(in: Fixtures.small()) == []) }

    @Test("P4, P13: a change of one bit, in any byte of an RSA-signed certificate is refused")
    func rsaChanges() throws { #expect(try unnoticed(in: Fixtures.handmade()) == []) }

    @Test("P4, P13: a change of one bit, in any byte of an Ed25519-signed certificate is refused")
    func ed25519Changes() throws { #expect(try unnoticed(in: certificates()[2]) == []) }

    @Test("P4, P13: another value of any byte is refused, in all that is not a key or a signature")
    func byteValues() throws {
        let blob = try Fixtures.small()
        let certificate = try Certificate(parsing: blob)
        let expectations = try Fixtures.expectations()
        var verified: [Int] = []
        // Lengths, numbers, texts and options, which the rules read. To them, keys and signatures are only bytes.
        let key = try #require(blob.firstRange(of: certificate.publicKey.blob.suffix(32)))
        let authority = try #require(blob.firstRange(of: certificate.authorityKey.blob))
        for index in key.upperBound..<authority.lowerBound {
            for value in Tier.sample(UInt8.min...UInt8.max, step: 37) where value != blob[index] {
                var changed = blob
                changed[index] = value
                if try Fixtures.refusal(of: changed, against: expectations) == nil { verified.append(index) }
            }
        }
        #expect(verified == [])
    }

    @Test("P4, P13: no byte can be put in or taken out")
    func shifts() throws {
        let blob = try Fixtures.small()
        let expectations = try Fixtures.expectations()
        #expect(try Fixtures.refusal(of: blob, against: expectations) == nil)
        var verified: [Int] = []
        for index in blob.indices {
            var longer = blob
            longer.insert(0, at: index)
            var shorter = blob
            shorter.remove(at: index)
            for changed in [longer, shorter] where try Fixtures.refusal(of: changed, against: expectations) == nil {
                verified.append(index)
            }
        }
        #expect(verified == [])
    }
}
