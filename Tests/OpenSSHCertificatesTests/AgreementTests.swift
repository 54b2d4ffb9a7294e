// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import OpenSSHCertificates
import TestSupport
import Testing

/// Compares the verifier with OpenSSH over valid and invalid certificates: it must refuse what OpenSSH refuses.
struct AgreementTests {
    /// Knuth's linear congruential generator (MMIX), so that a disagreement can be reproduced.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private typealias Sample = (typeName: String, blob: [UInt8])

    /// Makes one to three changes: flips a bit, changes a byte, removes or doubles a piece, or cuts off the end.
    private func mutated(_ blob: [UInt8], _ generator: inout Generator) -> [UInt8] {
        var changed = blob
        for _ in 0..<Int.random(in: 1...3, using: &generator) where changed.count > 8 {
            let index = Int.random(in: 0..<changed.count, using: &generator)
            let end = min(changed.count, index + Int.random(in: 1...8, using: &generator))
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: changed[index] = UInt8.random(in: 0...255, using: &generator)
            case 2: changed[index] &+= 1
            case 3: changed[index] &-= 1
            case 4: changed.removeSubrange(index..<end)
            case 5: changed.insert(contentsOf: changed[index..<end], at: index)
            default: changed.removeLast(end - index)
            }
        }
        return changed
    }

    private typealias Odd = (refusal: CertificateRefusal?, edit: @Sendable (inout HandmadeCertificate) -> Void)

    /// Certificates that the CA signed, with odd content, and the expected refusal; nil: verified.
    private static let odd: [Odd] = [
        (nil, { _ in }), (nil, { $0.nonce = [] }), (nil, { $0.reserved = [1, 2, 3] }), (nil, { $0.serial = .max }),
        (nil, { $0.criticalOptions = [("source-address", HandmadeCertificate.string("192.0.2.0/24"))] }),
        (.notUserCertificate, { $0.purpose = 2 }), (.malformed, { $0.purpose = 3 }),
        (.keyIDMismatch, { $0.keyID = [] }), (.malformed, { $0.keyID = [0x61, 0] }),
        (.noPrincipals, { $0.principals = [] }), (.malformed, { $0.principals.append([0]) }),
        (.principalMalformed, { $0.principals.append(Array("a,b".utf8)) }),
        (.tooLarge, { $0.principals = (0..<257).map { [0x61, UInt8($0 % 26 + 0x61)] } }),
        (.validityEmpty, { $0.validAfter = .max }), (.validityEmpty, { $0.validBefore = 0 }),
        (.lifetimeTooLong, { $0.validBefore = .max }),
        (.criticalOptionUnknown, { $0.criticalOptions = [("x", [])] }), (nil, { $0.extensions.reverse() }),
        (.optionTwice, { $0.extensions.append($0.extensions[1]) }), (.objectIDMissing, { $0.extensions = [] }),
        (.malformed, { $0.extensions.append(("a\0b", [])) }), (.malformed, { $0.authorityBlob += [0] }),
        (.malformed, { $0.authorityBlob = [] }), (.malformed, { $0.authorityBlob.removeLast() }),
        (.malformed, { $0.keyFields.removeLast() }), (.malformed, { $0.keyFields += [0, 0, 0, 0] }),
        (.keyTypeUnsupported, { $0.typeName = "ssh-rsa" }),
    ]

    /// Each kind of key under each kind of CA, as ssh-keygen makes them, and a forced command.
    private func goodCertificates(_ expectations: inout CertificateExpectations) throws -> [Sample] {
        let keys = try Fixtures.keys()
        let factory = keys.factory
        let people = [
            keys.rsaUser, keys.ed25519User, try factory.makeKey(.ecdsa(bits: 256)),
            try factory.makeKey(.ecdsa(bits: 384)), try factory.makeKey(.ecdsa(bits: 521)),
        ]
        let authorities: [(KeyPair, String?)] = [
            (keys.rsaAuthority, "rsa-sha2-256"), (keys.rsaAuthority, "rsa-sha2-512"), (keys.ecdsaAuthority, nil),
            (try factory.makeKey(.ecdsa(bits: 384)), nil), (try factory.makeKey(.ecdsa(bits: 521)), nil),
            (keys.ed25519Authority, nil),
        ]
        expectations.authorityKeys = try authorities.map { try PublicKey(parsing: $0.0.blob) }
        var samples: [Sample] = []
        for (authority, algorithm) in authorities {
            for person in people {
                var details = Fixtures.details
                details.signatureAlgorithm = algorithm
                if samples.count % 7 == 3 { details.options.append("force-command=true") }
                let blob = try factory.certify(person, by: authority, details)
                samples.append((try Certificate(parsing: blob).typeName, blob))
            }
        }
        return samples
    }

    @Test("P4, P13: of thousands of certificates, good and bad, none that OpenSSH refuses is verified")
    func agreement() throws {
        var generator = Generator(state: 2_026)
        var expectations = try Fixtures.expectations()
        let good = try goodCertificates(&expectations)
        let oddOnes = try Self.odd.map { ("ssh-rsa-cert-v01@openssh.com", try Fixtures.handmade($0.edit)) as Sample }
        var samples = good
        while samples.count + oddOnes.count < Tier.count(2_000, deep: 10_000) {
            let sample = good[samples.count % good.count]
            samples.append((sample.typeName, mutated(sample.blob, &generator)))
        }
        let factory = try Fixtures.keys().factory
        var read = try factory.readByOpenSSH(samples)
        samples += oddOnes
        // Each one in its own run of ssh-keygen: a certificate that ssh-keygen cannot show ends the run.
        read += oddOnes.map { sample in (try? factory.readByOpenSSH([sample])) == [true] }
        var refusals: [CertificateRefusal?] = []
        for (index, sample) in samples.enumerated() {
            let refusal = try Fixtures.refusal(of: sample.blob, against: expectations)
            refusals.append(refusal)
            if refusal == nil { #expect(read[index], "certificate \(index)") }
        }
        // No valid one is refused, and each that only OpenSSH accepts has the expected reason.
        #expect(read.prefix(good.count).allSatisfy { $0 })
        #expect(refusals.prefix(good.count).allSatisfy { $0 == nil })
        #expect(refusals.suffix(oddOnes.count) == Self.odd.map(\.refusal)[...])
        #expect(read.suffix(oddOnes.count).contains(true) && read.suffix(oddOnes.count).contains(false))
        // Mutations: OpenSSH accepts only certificates that the change did not affect.
        for index in good.count..<samples.count - oddOnes.count where read[index] {
            #expect(
                refusals[index] == nil,
                "certificate \(index): \(samples[index].blob == good[index % good.count].blob)"
            )
        }
    }
}
