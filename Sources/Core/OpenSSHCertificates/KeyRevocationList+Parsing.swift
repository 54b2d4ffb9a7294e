// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

// Reads what `ssh-keygen -k` writes (PROTOCOL.krl) and what sshd takes if a file is not a KRL: one key a line.

extension KeyRevocationList {
    /// "SSHKRL\n\0".
    private static let magic: UInt64 = 0x5353_484b_524c_0a00
    private static let formatVersion: UInt32 = 1
    /// Types of CA keys that OpenSSH takes and entralogin does not.
    private static let foreignTypes: Set<String> = [
        "ssh-dss", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ]

    /// Reads a whole list. What it does not understand or could not honour is an error: a list that counts only in part
    /// is worse than none, because the administrator would not know.
    package init(parsing bytes: [UInt8]) throws(RevocationListError) {
        guard bytes.count <= Limit.bytes else { throw RevocationListError("larger than \(Limit.bytes) bytes") }
        var start = ByteReader(bytes)
        if let magic = try? start.readUInt64(), magic == KeyRevocationList.magic {
            try self.init(krl: &start)
        } else {
            try self.init(lines: bytes)
        }
    }

    // MARK: The binary form

    private init(krl reader: inout ByteReader) throws(RevocationListError) {
        self.init()
        do {
            guard try reader.readUInt32() == KeyRevocationList.formatVersion else {
                throw RevocationListError("a KRL of an unknown format version")
            }
            // The list's version, its date, and flags, of which none is defined.
            for _ in 0..<3 { _ = try reader.readUInt64() }
            // Reserved, and a comment.
            for _ in 0..<2 { _ = try reader.readRange(limit: Limit.bytes) }
            while !reader.isAtEnd {
                let type = try reader.readUInt8()
                var section = try reader.readNested(limit: Limit.bytes)
                try take(type, &section)
                try section.finish()
            }
        } catch {
            throw RevocationListError(reading: error)
        }
        certificatesOfAnyAuthority.serials.seal()
        certificatesOfAuthority = certificatesOfAuthority.mapValues { certificates in
            var sealed = certificates
            sealed.serials.seal()
            return sealed
        }
    }

    private mutating func take(_ type: UInt8, _ section: inout ByteReader) throws {
        switch type {
        case 1: try takeCertificates(&section)
        case 2: while !section.isAtEnd { keys.insert(try section.readString(limit: Limit.bytes)) }
        case 3: try takeFingerprints(.sha1, &section)
        case 5: try takeFingerprints(.sha256, &section)
        // OpenSSH has refused signed KRLs since 9.4.
        case 4: throw RevocationListError("a signed KRL, which OpenSSH does not take either")
        case 255: try KeyRevocationList.skipExtension(&section)
        default: throw RevocationListError("a KRL with a section of the unknown type \(type)")
        }
    }

    private mutating func takeFingerprints(_ algorithm: FingerprintAlgorithm, _ section: inout ByteReader) throws {
        while !section.isAtEnd {
            let digest = try section.readString(limit: algorithm.size)
            guard digest.count == algorithm.size else { throw ByteCodingError.malformed }
            fingerprints[algorithm, default: []].insert(digest)
        }
    }

    /// Optional extensions are skipped; a critical one is an error.
    private static func skipExtension(_ section: inout ByteReader) throws {
        _ = try section.readRange(limit: Limit.extensionNameBytes)
        // RFC 4251, 5: everything but zero is true.
        guard try section.readUInt8() == 0 else {
            throw RevocationListError("a KRL with an unknown critical extension")
        }
        _ = try section.readRange(limit: Limit.bytes)
    }

    private mutating func takeCertificates(_ section: inout ByteReader) throws {
        let blob = try section.readString(limit: PublicKey.Limit.blobBytes)
        _ = try section.readRange(limit: Limit.bytes)
        var authority: PublicKey?
        do throws(PublicKeyError) {
            if !blob.isEmpty { authority = try PublicKey(parsing: blob) }
        } catch {
            guard error == .unsupportedType, KeyRevocationList.isForeign(blob) else {
                throw RevocationListError("a KRL with a CA key that is none")
            }
            var ignored = Certificates()
            return try KeyRevocationList.read(&section, into: &ignored)
        }
        if let authority {
            try KeyRevocationList.read(&section, into: &certificatesOfAuthority[authority, default: Certificates()])
        } else {
            try KeyRevocationList.read(&section, into: &certificatesOfAnyAuthority)
        }
    }

    private static func isForeign(_ blob: [UInt8]) -> Bool {
        var reader = ByteReader(blob)
        guard let type = try? reader.readText(limit: PublicKey.Limit.typeNameBytes) else { return false }
        return foreignTypes.contains(type)
    }

    private static func read(_ section: inout ByteReader, into certificates: inout Certificates) throws {
        while !section.isAtEnd {
            let type = try section.readUInt8()
            var part = try section.readNested(limit: Limit.bytes)
            switch type {
            case 0x20: while !part.isAtEnd { try insert(try part.readUInt64(), nil, into: &certificates) }
            case 0x21: try insert(try part.readUInt64(), try part.readUInt64(), into: &certificates)
            case 0x22: try insertBitmap(&part, into: &certificates)
            case 0x23: while !part.isAtEnd { certificates.keyIDs.insert(try keyID(&part)) }
            case 0x39: try skipExtension(&part)
            default: throw RevocationListError("a KRL with a certificate section of the unknown type \(type)")
            }
            try part.finish()
        }
    }

    private static func insert(_ first: UInt64, _ last: UInt64?, into certificates: inout Certificates) throws {
        let last = last ?? first
        guard first <= last, certificates.serials.insert(first...last) else { throw ByteCodingError.malformed }
    }

    /// A positive `mpint`. OpenSSH also accepts needless zeros before it.
    private static func insertBitmap(_ part: inout ByteReader, into certificates: inout Certificates) throws {
        let offset = try part.readUInt64()
        let number = try part.readString(limit: Limit.bitmapBytes)
        guard let first = number.first else { return }
        guard first < 0x80, first == 0 || number.count < Limit.bitmapBytes else { throw ByteCodingError.malformed }
        let bits = Array(number.drop { $0 == 0 })
        guard certificates.serials.insert(bitmap: bits, from: offset) else { throw ByteCodingError.malformed }
    }

    /// OpenSSH reads it as a C string: one NUL may end it.
    private static func keyID(_ part: inout ByteReader) throws -> [UInt8] {
        var bytes = try part.readString(limit: Limit.bytes)
        if bytes.last == 0 { bytes.removeLast() }
        guard !bytes.contains(0) else { throw ByteCodingError.malformed }
        return bytes
    }

    // MARK: The plain form

    private init(lines bytes: [UInt8]) throws(RevocationListError) {
        self.init()
        var number = 0
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let blanks: [UInt8] = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
            let words = line.split(maxSplits: 2, whereSeparator: { blanks.contains($0) })
            guard let type = words.first, type.first != UInt8(ascii: "#") else { continue }
            guard words.count >= 2, take(type: type, base64: words[1]) else {
                throw RevocationListError("line \(number) is neither a public key nor a comment")
            }
        }
    }

    /// False if it is not a key.
    private mutating func take(type: ArraySlice<UInt8>, base64: ArraySlice<UInt8>) -> Bool {
        guard let blob = try? Base64.decode(String(decoding: base64, as: UTF8.self)) else { return false }
        var reader = ByteReader(blob)
        guard let name = try? reader.readString(limit: PublicKey.Limit.typeNameBytes), name == Array(type) else {
            return false
        }
        let text = String(decoding: name, as: UTF8.self)
        if text.hasSuffix(KeyType.certificateSuffix) {
            certificates.insert(blob)
        } else {
            // A key of a type that entralogin never accepts may be listed for sshd.
            guard KeyType(rawValue: text) == nil || PublicKey(blob: blob) != nil else { return false }
            keys.insert(blob)
        }
        return true
    }
}

extension RevocationListError {
    fileprivate init(reading error: any Error) {
        self = error as? RevocationListError ?? RevocationListError("a damaged KRL")
    }
}
