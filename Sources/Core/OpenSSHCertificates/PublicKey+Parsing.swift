// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

extension PublicKey {
    /// Reads a whole key blob.
    package init(parsing blob: [UInt8]) throws(PublicKeyError) {
        guard blob.count <= Limit.blobBytes else { throw .tooLarge }
        var reader = ByteReader(blob)
        do {
            let name = try reader.readText(limit: Limit.typeNameBytes)
            guard let type = KeyType(rawValue: name) else {
                throw name.contains("-cert-v") ? PublicKeyError.isCertificate : .unsupportedType
            }
            let fields = try Fields(reading: &reader, type: type)
            try reader.finish()
            self.init(blob: blob, type: type, fields: fields)
        } catch {
            throw PublicKeyError(error)
        }
    }

    /// The same, but nil if the bytes are not such a key.
    package init?(blob: [UInt8]) {
        do throws(PublicKeyError) { try self.init(parsing: blob) } catch { return nil }
    }

    /// Makes a key from its fields, for example those of a JSON Web Key; they are checked like those of a blob.
    package init(type: KeyType, fields: Fields) throws(PublicKeyError) {
        var writer = ByteWriter()
        do throws(ByteCodingError) {
            try writer.writeText(type.rawValue)
            switch fields {
            case .rsa(let exponent, let modulus):
                try writer.writePositiveInteger(exponent)
                try writer.writePositiveInteger(modulus)
            case .ecdsa(let curve, let point):
                try writer.writeText(curve.rawValue)
                try writer.writeString(point)
            case .ed25519(let key):
                try writer.writeString(key)
            }
        } catch {
            throw PublicKeyError(error)
        }
        try self.init(parsing: writer.bytes)
    }

    /// Reads `ssh-rsa AAAA... comment`: no options before the type, any blanks between the parts, one key, one line.
    package init(line: String) throws(PublicKeyError) {
        guard line.utf8.count <= Limit.lineBytes else { throw .tooLarge }
        guard line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == UInt8(ascii: "\t") }) else { throw .malformed }
        let parts = line.split(maxSplits: 2, whereSeparator: { $0 == " " || $0 == "\t" })
        guard parts.count >= 2 else { throw .malformed }
        let blob: [UInt8]
        do { blob = try Base64.decode(parts[1]) } catch { throw .malformed }
        try self.init(parsing: blob)
        guard type.rawValue == parts[0] else { throw .malformed }
    }
}

extension PublicKey.Fields {
    /// Reads the fields that follow the key type: of a plain key, and, after the nonce, of a certificate.
    init(reading reader: inout ByteReader, type: KeyType) throws(ByteCodingError) {
        switch type {
        case .rsa:
            let exponent = try reader.readPositiveInteger(limit: PublicKey.Limit.exponentBytes)
            let modulus = try reader.readPositiveInteger(limit: PublicKey.Limit.modulusBits / 8)
            // Both are odd in any RSA key, and an exponent of 1 signs nothing (RFC 8017, 3.1).
            guard let lowest = exponent.last, lowest & 1 == 1, exponent != [1] else { throw .malformed }
            guard let unit = modulus.last, unit & 1 == 1, modulus != [1] else { throw .malformed }
            self = .rsa(exponent: exponent, modulus: modulus)
        case .ecdsaP256, .ecdsaP384, .ecdsaP521:
            guard let curve = type.curve else { throw .malformed }
            guard try reader.readText(limit: PublicKey.Limit.typeNameBytes) == curve.rawValue else { throw .malformed }
            let length = 1 + 2 * curve.fieldSize
            let point = try reader.readString(limit: length)
            guard point.count == length, point.first == 0x04 else { throw .malformed }
            self = .ecdsa(curve, point: point)
        case .ed25519:
            let key = try reader.readString(limit: 32)
            guard key.count == 32 else { throw .malformed }
            self = .ed25519(key)
        }
    }
}

extension PublicKeyError {
    init(_ error: any Error) {
        self =
            switch error {
            case let error as PublicKeyError: error
            case ByteCodingError.tooLong: .tooLarge
            default: .malformed
            }
    }
}
