// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import CertificateFactory
import OpenSSHCertificates
import Testing

struct PublicKeyTests {
    private static func string(_ bytes: [UInt8]) -> [UInt8] { HandmadeCertificate.string(bytes) }

    private func rsa(exponent: [UInt8] = [1, 0, 1], modulus: [UInt8]) -> [UInt8] {
        HandmadeCertificate.string("ssh-rsa") + Self.string(exponent) + Self.string(modulus)
    }

    private func error(_ blob: [UInt8]) -> PublicKeyError? {
        do {
            _ = try PublicKey(parsing: blob)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "Every kind of key of ssh-keygen's is read, and written again from its fields",
        arguments: [
            (KeyKind.rsa(bits: 1024), KeyType.rsa), (.ecdsa(bits: 256), .ecdsaP256), (.ecdsa(bits: 384), .ecdsaP384),
            (.ecdsa(bits: 521), .ecdsaP521), (.ed25519, .ed25519),
        ]
    )
    func kinds(kind: KeyKind, type: KeyType) throws {
        let pair = try Fixtures.keys().factory.makeKey(kind)
        let key = try PublicKey(parsing: pair.blob)
        #expect(key.type == type)
        #expect(key.line == pair.line)
        #expect(key.fingerprintInput == pair.blob)
        #expect(key.modulusBits == (type == .rsa ? 1_024 : nil))
        #expect(try PublicKey(type: type, fields: key.fields) == key)
        #expect(PublicKey(blob: pair.blob) == key)
        for count in 0..<pair.blob.count { #expect(PublicKey(blob: Array(pair.blob.prefix(count))) == nil) }
        #expect(error(pair.blob + [0]) == .malformed)
    }

    @Test("A line is type, base64 and comment")
    func lines() throws {
        let pair = try Fixtures.keys().ed25519User
        let key = try PublicKey(parsing: pair.blob)
        for line in [pair.line, pair.line + " a comment", pair.line + "\tcomment ", " " + pair.line] {
            #expect(try PublicKey(line: line) == key)
        }
        let base64 = Base64.encode(pair.blob)
        let wrong = [
            "", "ssh-ed25519", base64, "ssh-rsa \(base64)", "no-pty ssh-ed25519 \(base64)", pair.line + "\n",
            "\(pair.line)\nssh-rsa AAAA", "ssh-ed25519 \(base64)=", "ssh-ed25519 \(base64.dropLast())",
        ]
        for line in wrong { #expect(throws: PublicKeyError.malformed) { try PublicKey(line: line) } }
        #expect(throws: PublicKeyError.tooLarge) {
            try PublicKey(line: pair.line + " " + String(repeating: "x", count: 8_192))
        }
    }

    @Test("Certificates and other types are told apart from damage")
    func types() throws {
        #expect(error(try Fixtures.small()) == .isCertificate)
        #expect(error(HandmadeCertificate.string("ssh-rsa-cert-v00@openssh.com")) == .isCertificate)
        #expect(error(HandmadeCertificate.string("ssh-dss")) == .unsupportedType)
        #expect(error(HandmadeCertificate.string("SSH-RSA")) == .unsupportedType)
        #expect(error([]) == .malformed)
        #expect(error([UInt8](repeating: 0, count: 4_097)) == .tooLarge)
    }

    @Test("Integers have one spelling: positive, minimal, and odd in RSA")
    func integers() {
        let modulus: [UInt8] = [0x7f] + [UInt8](repeating: 0xff, count: 127)
        #expect(error(rsa(modulus: modulus)) == nil)
        #expect(error(rsa(modulus: [0] + modulus)) == .malformed)
        #expect(error(rsa(modulus: [0xff] + modulus)) == .malformed)
        #expect(error(rsa(modulus: modulus.dropLast() + [0xfe])) == .malformed)
        for small in [[], [0], [1], [0, 1]] as [[UInt8]] {
            #expect(error(rsa(modulus: small)) == .malformed)
            #expect(error(rsa(exponent: small, modulus: modulus)) == .malformed)
        }
        #expect(error(rsa(exponent: [2], modulus: modulus)) == .malformed)
        #expect(error(rsa(exponent: [UInt8](repeating: 0x7f, count: 8), modulus: modulus)) == nil)
        #expect(error(rsa(exponent: [UInt8](repeating: 0x7f, count: 9), modulus: modulus)) == .tooLarge)
    }

    @Test("An ECDSA key is an uncompressed point of the curve that its type names")
    func points() {
        let make = { (type: String, curve: String, point: [UInt8]) in
            HandmadeCertificate.string(type) + HandmadeCertificate.string(curve) + Self.string(point)
        }
        let point: [UInt8] = [4] + [UInt8](repeating: 1, count: 64)
        let type = "ecdsa-sha2-nistp256"
        #expect(error(make(type, "nistp256", point)) == nil)
        #expect(error(make(type, "nistp384", point)) == .malformed)
        #expect(error(make("ecdsa-sha2-nistp384", "nistp256", point)) == .malformed)
        #expect(error(make(type, "nistp256", point.dropLast())) == .malformed)
        #expect(error(make(type, "nistp256", point + [1])) == .tooLarge)
        #expect(error(make(type, "nistp256", [2] + point.prefix(32))) == .malformed)
        #expect(error(make(type, "nistp256", [3] + point.dropFirst())) == .malformed)
        #expect(error(make(type, "nistp256", [])) == .malformed)
    }

    @Test("An Ed25519 key has 32 bytes", arguments: [0, 31, 33])
    func ed25519(count: Int) {
        let blob = HandmadeCertificate.string("ssh-ed25519") + Self.string([UInt8](repeating: 1, count: count))
        #expect(error(blob) == (count > 32 ? .tooLarge : .malformed))
    }

    @Test("A key of fields that do not fit its type is refused")
    func fields() {
        #expect(throws: PublicKeyError.malformed) {
            try PublicKey(type: .ed25519, fields: .rsa(exponent: [3], modulus: [0x7f]))
        }
        #expect(throws: PublicKeyError.malformed) {
            try PublicKey(type: .rsa, fields: .rsa(exponent: [0], modulus: [0x7f]))
        }
    }
}
