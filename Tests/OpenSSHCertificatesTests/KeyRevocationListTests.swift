// SPDX-License-Identifier: Apache-2.0

import ByteCoding
import CertificateFactory
import OpenSSHCertificates
import Testing

struct KeyRevocationListTests {
    private func count(_ bytes: [UInt8]) throws -> Int { try KeyRevocationList(parsing: bytes).count }

    private func flaw(_ bytes: [UInt8]) -> String? {
        do {
            _ = try KeyRevocationList(parsing: bytes)
            return nil
        } catch {
            return error.description
        }
    }

    /// A KRL with one section.
    private func krl(_ type: UInt8, _ section: [UInt8], version: UInt32 = 1) -> [UInt8] {
        var writer = ByteWriter()
        writer.writeBytes(Array("SSHKRL\n\0".utf8))
        writer.write(version)
        for _ in 0..<3 { writer.write(UInt64(0)) }
        for _ in 0..<2 { writer.writeBytes(HandmadeCertificate.string("")) }
        writer.write(type)
        writer.writeBytes(HandmadeCertificate.string(section))
        return writer.bytes
    }

    /// A KRL with one certificate section of any CA, or of `authority`, with one part.
    private func krl(part type: UInt8, _ content: [UInt8], of authority: [UInt8] = []) -> [UInt8] {
        let header = HandmadeCertificate.string(authority) + HandmadeCertificate.string("")
        return krl(1, header + [type] + HandmadeCertificate.string(content))
    }

    private func number(_ value: UInt64) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(value)
        return writer.bytes
    }

    @Test("What ssh-keygen -k writes is read: every kind of entry, of several CAs, and additions")
    func keygen() throws {
        let keys = try Fixtures.keys()
        let first = try keys.factory.revoke(["serial: 1-5", "id: a", "id: b"], of: keys.rsaAuthority)
        #expect(try count(first) == 3)
        let more = [
            "serial: 9", "key: \(keys.rsaUser.line)", "sha1: \(keys.rsaUser.line)", "sha256: \(keys.rsaUser.line)",
        ]
        #expect(try count(keys.factory.revoke(more, of: keys.ecdsaAuthority, after: first)) == 7)
        #expect(try count(keys.factory.revoke([])) == 0)
    }

    @Test("An empty file, blank lines and comments revoke nothing")
    func empty() throws {
        for text in ["", "\n", "# x", "\n \t\n  # y\r\n\r\n"] { #expect(try count(Array(text.utf8)) == 0) }
    }

    @Test("P13: a line that is no key spoils the list, and is named")
    func lines() throws {
        let line = try Fixtures.keys().rsaUser.line
        #expect(try count(Array("\(line)\r\n\t \(line) with a comment\n".utf8)) == 1)
        let base64 = try #require(line.split(separator: " ").last)
        for wrong in ["x", "ssh-rsa", "ssh-ed25519 \(base64)", "ssh-rsa \(base64)=", "ssh-rsa AAAA", "no-pty \(line)"] {
            #expect(
                flaw(Array("\(line)\n\(wrong)\n".utf8)) == "line 2 is neither a public key nor a comment",
                "\(wrong)"
            )
        }
    }

    @Test("A key of a type that we never take may stand in a plain list")
    func foreignType() throws {
        let blob = HandmadeCertificate.string("sk-ssh-ed25519@openssh.com") + HandmadeCertificate.string("x")
        #expect(try count(Array("sk-ssh-ed25519@openssh.com \(Base64.encode(blob))".utf8)) == 1)
    }

    @Test("P13: a KRL with what is not understood is refused as a whole, and named")
    func unknown() {
        #expect(flaw(krl(2, [], version: 2)) == "a KRL of an unknown format version")
        #expect(flaw(krl(4, [])) == "a signed KRL, which OpenSSH does not take either")
        #expect(flaw(krl(6, [])) == "a KRL with a section of the unknown type 6")
        #expect(flaw(krl(part: 0x24, [])) == "a KRL with a certificate section of the unknown type 36")
        let name = HandmadeCertificate.string("x@example.com")
        let content = HandmadeCertificate.string("")
        #expect(flaw(krl(255, name + [0] + content)) == nil)
        #expect(flaw(krl(part: 0x39, name + [0] + content)) == nil)
        for flag in [UInt8(1), 0xff] {
            #expect(flaw(krl(255, name + [flag] + content)) == "a KRL with an unknown critical extension")
            #expect(flaw(krl(part: 0x39, name + [flag] + content)) == "a KRL with an unknown critical extension")
        }
    }

    @Test("P13: numbers, digests and texts that cannot be meant are refused")
    func damaged() {
        let damaged = "a damaged KRL"
        #expect(flaw(krl(3, HandmadeCertificate.string([UInt8](repeating: 1, count: 19)))) == damaged)
        #expect(flaw(krl(3, HandmadeCertificate.string([UInt8](repeating: 1, count: 21)))) == damaged)
        #expect(flaw(krl(5, HandmadeCertificate.string([UInt8](repeating: 1, count: 20)))) == damaged)
        #expect(flaw(krl(2, [0, 0, 0, 9, 1])) == damaged)
        #expect(flaw(krl(part: 0x20, number(0))) == damaged)
        #expect(flaw(krl(part: 0x20, [1, 2, 3])) == damaged)
        #expect(flaw(krl(part: 0x21, number(5) + number(4))) == damaged)
        #expect(flaw(krl(part: 0x21, number(5) + number(6) + [0])) == damaged)
        #expect(flaw(krl(part: 0x22, number(.max) + HandmadeCertificate.string([2]))) == damaged)
        #expect(flaw(krl(part: 0x22, number(1) + HandmadeCertificate.string([0x80]))) == damaged)
        let long = [1] + [UInt8](repeating: 0, count: KeyRevocationList.Limit.bitmapBytes - 1)
        #expect(flaw(krl(part: 0x22, number(1) + HandmadeCertificate.string(long))) == damaged)
        #expect(flaw(krl(part: 0x23, HandmadeCertificate.string([0x61, 0, 0x62]))) == damaged)
    }

    @Test("A CA key that is none, or a certificate, spoils the list; a type that only OpenSSH takes does not")
    func authorities() throws {
        let authority = try Fixtures.keys().rsaAuthority.blob
        #expect(try count(krl(part: 0x20, number(1), of: authority)) == 1)
        let none = "a KRL with a CA key that is none"
        #expect(flaw(krl(part: 0x20, number(1), of: authority + [0])) == none)
        #expect(flaw(krl(part: 0x20, number(1), of: try Fixtures.small())) == none)
        #expect(flaw(krl(part: 0x20, number(1), of: HandmadeCertificate.string("ssh-x"))) == none)
        let foreign = HandmadeCertificate.string("sk-ssh-ed25519@openssh.com") + HandmadeCertificate.string("x")
        #expect(try count(krl(part: 0x20, number(1), of: foreign)) == 0)
        #expect(flaw(krl(part: 0x20, number(0), of: foreign)) == "a damaged KRL")
    }

    @Test("P13: a list has a limit")
    func limit() {
        let blanks = [UInt8](repeating: UInt8(ascii: "\n"), count: KeyRevocationList.Limit.bytes + 1)
        #expect(flaw(blanks) == "larger than 1048576 bytes")
        #expect(flaw(Array(blanks.dropLast())) == nil)
    }

    @Test("P13: every truncation of a KRL is refused, but for the ones that end between two sections")
    func truncations() throws {
        let keys = try Fixtures.keys()
        let specification = ["serial: 1-5", "serial: 100", "id: x", "key: \(keys.rsaUser.line)"]
        let whole = try keys.factory.revoke(specification, of: keys.rsaAuthority)
        let taken = whole.indices.filter { $0 >= 8 && flaw(Array(whole[..<$0])) == nil }
        // The cuts after the header, and between the section of certificates and the one of keys.
        #expect(taken.count == 2)
        for length in 1..<8 { #expect(flaw(Array(whole[..<length])) != nil) }
    }
}
