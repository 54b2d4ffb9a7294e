// SPDX-License-Identifier: Apache-2.0

import CertificateFactory
import Libcrypto
import OpenSSHCertificates
import TestSupport
import Testing

/// Compares with ssh-keygen: it makes revocation lists and says which certificates they revoke.
struct RevocationAgreementTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private static let serials: [UInt64] = [0, 1, 2, 77, 1_000, 1_023, 65_536, 1 << 63, .max]
    private static let keyIDs = ["alice", "bob", "\(CertificateDetails.objectID)@\(CertificateDetails.tenantID)"]

    private let factory: CertificateFactory
    private let authorities: [KeyPair]
    private let people: [KeyPair]
    private let certificates: [Certificate]
    private let stored: [String]

    init() throws {
        let keys = try Fixtures.keys()
        let factory = keys.factory
        self.factory = factory
        authorities = [keys.rsaAuthority, keys.ecdsaAuthority, try factory.makeKey(.ed25519)]
        people = [keys.rsaUser, keys.ed25519User, try factory.makeKey(.ecdsa(bits: 384))]
        var made: [(typeName: String, blob: [UInt8])] = []
        for number in 0..<54 {
            var details = Fixtures.details
            details.serial = Self.serials[number % Self.serials.count]
            details.keyID = Self.keyIDs[number / 2 % Self.keyIDs.count]
            let (person, authority) = (people[number / 3 % people.count], authorities[number / 18])
            let blob = try factory.certify(person, by: authority, details)
            made.append((try Certificate(parsing: blob).typeName, blob))
        }
        certificates = try made.map { try Certificate(parsing: $0.blob) }
        stored = try factory.store(made)
    }

    /// One to eight entries: serials near the certificates' own, alone, in ranges and in dense rows; key ids; keys.
    private func specification(_ generator: inout Generator) throws -> [String] {
        var lines: [String] = []
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let near = Self.serials.randomElement(using: &generator) ?? 1
            let serial = max(near &+ UInt64.random(in: 0...3, using: &generator), 1)
            let keys = (people + authorities).randomElement(using: &generator)?.line ?? ""
            switch Int.random(in: 0..<8, using: &generator) {
            case 0, 1: lines.append("serial: \(serial)")
            case 2: lines.append("serial: \(serial)\(serial < .max - 3 ? "-\(serial + 3)" : "")")
            // Dense, so that ssh-keygen writes a bitmap.
            case 3:
                lines += stride(from: 60, to: 1_100, by: Int.random(in: 1...9, using: &generator)).map {
                    "serial: \($0)"
                }
            case 4: lines.append("id: \(Self.keyIDs.randomElement(using: &generator) ?? "")")
            case 5: lines.append("key: \(keys)")
            case 6: lines.append("sha1: \(keys)")
            default: lines.append("sha256: \(keys)")
            }
        }
        return lines
    }

    private func list(_ generator: inout Generator) throws -> [UInt8] {
        let authority = [nil, authorities[0], authorities[1], authorities[2]].randomElement(using: &generator) ?? nil
        let first = try factory.revoke(specification(&generator), of: authority)
        guard Bool.random(using: &generator) else { return first }
        return try factory.revoke(
            specification(&generator),
            of: authorities.randomElement(using: &generator),
            after: first
        )
    }

    @Test("P4: of pairs of certificate and list, those that OpenSSH calls revoked are refused, and no other")
    func agreement() throws {
        var generator = Generator(state: 4_711)
        var revoked = 0
        let count = Tier.count(12, deep: 40)
        for number in 0..<count {
            let bytes = try list(&generator)
            let theirs = try #require(try factory.revoked(stored, by: bytes))
            let rule = RevocationRule(list: try KeyRevocationList(parsing: bytes), digests: LibcryptoDigests())
            for (index, certificate) in certificates.enumerated() {
                #expect(
                    (rule.check(certificate) != .satisfied) == theirs[index],
                    "list \(number), certificate \(index)"
                )
            }
            revoked += theirs.count { $0 }
        }
        // ssh-keygen found enough certificates revoked and enough not revoked.
        #expect(revoked > 10 * count && revoked < 44 * count)
    }

    @Test("P13: of damaged lists, none that OpenSSH cannot read is taken, and the others say the same")
    func damagedLists() throws {
        var generator = Generator(state: 99)
        var (refused, taken) = (0, 0)
        let count = Tier.count(60, deep: 200)
        for number in 0..<count {
            // Without a thousand serials in a row, so that a change often hits something that matters.
            let entries = ["serial: 1-3", "serial: 77", "serial: 1000", "id: bob", "sha256: \(people[0].line)"]
            // No ECDSA: only libcrypto would notice a point that is not on its curve, and no CA key is such a point.
            let whole = try factory.revoke(entries, of: authorities[number % 2 * 2])
            var changed = whole
            let index = Int.random(in: 8..<whole.count, using: &generator)
            switch number % 3 {
            case 0: changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: changed[index] = UInt8.random(in: 0...255, using: &generator)
            default: changed.removeSubrange(index..<min(index + 1 + number % 5, changed.count))
            }
            let theirs = try factory.revoked(Array(stored.prefix(18)), by: changed)
            guard let list = try? KeyRevocationList(parsing: changed) else {
                refused += 1
                continue
            }
            taken += 1
            let rule = RevocationRule(list: list, digests: LibcryptoDigests())
            let entralogin = certificates.prefix(18).map { rule.check($0) != .satisfied }
            #expect(entralogin == theirs, "list \(number)")
        }
        #expect(refused > count / 7 && taken > count / 7)
    }
}
