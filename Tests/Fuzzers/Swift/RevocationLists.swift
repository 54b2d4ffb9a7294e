// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Libcrypto
internal import OpenSSHCertificates

// Seeds: KRLs by `ssh-keygen -k`, and a list of keys; Tests/Fuzzers/make-certificates writes them.

func takesRevocationList(_ bytes: [UInt8]) -> Bool {
    let list: KeyRevocationList
    do throws(RevocationListError) { list = try KeyRevocationList(parsing: bytes) } catch {
        promise(error.description.isQuoted(limit: 200), "text is not quoted")
        return false
    }
    promise((try? KeyRevocationList(parsing: bytes)) == list, "a list has two meanings")
    promise(list.count <= bytes.count, "more entries than bytes")
    let isBinary = bytes.starts(with: "SSHKRL\n\0".utf8)
    if isBinary {
        promise((try? KeyRevocationList(parsing: bytes.dropLast())) == nil, "a truncated list was read")
        promise((try? KeyRevocationList(parsing: bytes + [0])) == nil, "a trailing byte was read")
    }
    // An entry that is added revokes the example, whatever entries precede it, and none of those is lost.
    let more = isBinary ? bytes + Example.section : bytes + Array("\n\(Example.certificate.publicKey.line)\n".utf8)
    guard let longer = try? KeyRevocationList(parsing: more) else { fatalError("what is sound cannot grow") }
    promise(Example.isRevoked(by: longer), "a revoked certificate got through")
    promise(longer.count >= list.count, "an entry was lost")
    _ = Example.isRevoked(by: list)
    return true
}

/// A certificate that is only well-formed, and a section of a KRL that revokes it by its serial.
private enum Example {
    static let serial: UInt64 = 77

    static let certificate: Certificate = {
        do {
            return try Certificate(parsing: blob())
        } catch {
            fatalError("the example is no certificate: \(error)")
        }
    }()

    /// PROTOCOL.krl, 2: type 1, any CA; in it type 0x20, a list of serials.
    static let section: [UInt8] = {
        var writer = ByteWriter()
        writer.write(UInt8(1))
        do throws(ByteCodingError) {
            try writer.writeNested { section throws(ByteCodingError) in
                try section.writeString([])
                try section.writeString([])
                section.write(UInt8(0x20))
                try section.writeNested { list in list.write(serial) }
            }
        } catch {
            fatalError("the section cannot be written: \(error)")
        }
        return writer.bytes
    }()

    static func isRevoked(by list: KeyRevocationList) -> Bool {
        switch RevocationRule(list: list, digests: LibcryptoDigests()).check(certificate) {
        case .refused: true
        case .satisfied: false
        }
    }

    private static func blob() throws(ByteCodingError) -> [UInt8] {
        var key = ByteWriter()
        try key.writeText("ssh-ed25519")
        try key.writeString([UInt8](repeating: 7, count: 32))
        var writer = ByteWriter()
        try writer.writeText("ssh-ed25519-cert-v01@openssh.com")
        try writer.writeString([1])
        writer.writeBytes(key.bytes.dropFirst(4 + "ssh-ed25519".utf8.count))
        writer.write(serial)
        writer.write(UInt32(1))
        try writer.writeText("alice")
        try writer.writeString([])
        writer.write(UInt64(0))
        writer.write(UInt64.max)
        for _ in 0..<3 { try writer.writeString([]) }
        try writer.writeString(key.bytes)
        try writer.writeNested { signature throws(ByteCodingError) in
            try signature.writeText("ssh-ed25519")
            try signature.writeString([UInt8](repeating: 9, count: 64))
        }
        return writer.bytes
    }
}
