// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

extension Certificate {
    /// Reads a certificate in base64, as `%k` of sshd gives it and as it stands in a `-cert.pub` file.
    package init(base64 text: some StringProtocol) throws(CertificateFormatError) {
        guard text.utf8.count <= (Limit.blobBytes + 2) / 3 * 4 else {
            throw CertificateFormatError(.tooLarge, in: "certificate")
        }
        let blob: [UInt8]
        do { blob = try Base64.decode(text) } catch { throw CertificateFormatError(.notBase64, in: "certificate") }
        try self.init(parsing: blob)
    }

    /// Reads a whole certificate.
    package init(parsing blob: [UInt8]) throws(CertificateFormatError) {
        guard blob.count <= Limit.blobBytes else { throw CertificateFormatError(.tooLarge, in: "certificate") }
        var fields = FieldReader(blob)
        let type = try fields.keyType()
        nonce = try fields.read("nonce") { reader throws(ByteCodingError) in
            try reader.readString(limit: Limit.nonceBytes)
        }
        publicKey = try fields.publicKey(of: type)
        serial = try fields.read("serial") { reader throws(ByteCodingError) in try reader.readUInt64() }
        purpose = try fields.purpose()
        keyID = try fields.read("key id") { reader throws(ByteCodingError) in
            try reader.readText(limit: Limit.keyIDBytes)
        }
        principals = try fields.principals()
        validAfter = try fields.read("valid after") { reader throws(ByteCodingError) in try reader.readUInt64() }
        validBefore = try fields.read("valid before") { reader throws(ByteCodingError) in try reader.readUInt64() }
        criticalOptions = try fields.options("critical options")
        extensions = try fields.options("extensions")
        _ = try fields.read("reserved") { reader throws(ByteCodingError) in
            try reader.readRange(limit: Limit.reservedBytes)
        }
        authorityKey = try fields.authorityKey()
        signedRange = 0..<fields.position
        signature = try fields.signature(by: authorityKey)
        try fields.finish()
        self.blob = blob
    }
}

/// Reads the fields of a certificate one after the other and names the one that fails.
private struct FieldReader {
    private var reader: ByteReader

    init(_ blob: [UInt8]) { reader = ByteReader(blob) }

    var position: Int { reader.position }

    mutating func read<Value>(
        _ field: String,
        _ body: (inout ByteReader) throws(ByteCodingError) -> Value
    ) throws(CertificateFormatError) -> Value {
        do {
            return try body(&reader)
        } catch {
            throw CertificateFormatError(coding: error, in: field)
        }
    }

    mutating func finish() throws(CertificateFormatError) {
        try read("certificate") { reader throws(ByteCodingError) in try reader.finish() }
    }

    mutating func keyType() throws(CertificateFormatError) -> KeyType {
        let name = try read("key type") { reader throws(ByteCodingError) in
            try reader.readText(limit: PublicKey.Limit.typeNameBytes)
        }
        guard let type = KeyType(certificateName: name) else {
            throw CertificateFormatError(.keyTypeUnsupported, in: "key type")
        }
        return type
    }

    /// Reads the certified key's fields and makes the plain key of them.
    mutating func publicKey(of type: KeyType) throws(CertificateFormatError) -> PublicKey {
        let fields = try read("public key") { reader throws(ByteCodingError) in
            try PublicKey.Fields(reading: &reader, type: type)
        }
        do {
            return try PublicKey(type: type, fields: fields)
        } catch {
            throw CertificateFormatError(error == .tooLarge ? .tooLarge : .malformed, in: "public key")
        }
    }

    mutating func purpose() throws(CertificateFormatError) -> Certificate.Purpose {
        let number = try read("type") { reader throws(ByteCodingError) in try reader.readUInt32() }
        guard let purpose = Certificate.Purpose(rawValue: number) else {
            throw CertificateFormatError(.malformed, in: "type")
        }
        return purpose
    }

    mutating func principals() throws(CertificateFormatError) -> [String] {
        try read("valid principals") { reader throws(ByteCodingError) in
            var list = try reader.readNested(limit: Certificate.Limit.principalListBytes)
            var principals: [String] = []
            while !list.isAtEnd {
                guard principals.count < Certificate.Limit.principals else { throw .tooLong }
                principals.append(try list.readText(limit: Certificate.Limit.principalBytes))
            }
            return principals
        }
    }

    mutating func options(_ field: String) throws(CertificateFormatError) -> CertificateOptions {
        var list = try read(field) { reader throws(ByteCodingError) in
            try reader.readNested(limit: CertificateOptions.Limit.listBytes)
        }
        return try CertificateOptions(reading: &list, list: field)
    }

    mutating func authorityKey() throws(CertificateFormatError) -> PublicKey {
        let blob = try read("signature key") { reader throws(ByteCodingError) in
            try reader.readString(limit: PublicKey.Limit.blobBytes)
        }
        do {
            return try PublicKey(parsing: blob)
        } catch {
            let refusal: CertificateRefusal =
                switch error {
                case .isCertificate: .authorityIsCertificate
                case .unsupportedType: .authorityKeyUnsupported
                case .tooLarge: .tooLarge
                case .malformed: .malformed
                }
            throw CertificateFormatError(refusal, in: "signature key")
        }
    }

    mutating func signature(by key: PublicKey) throws(CertificateFormatError) -> Signature {
        var blob = try read("signature") { reader throws(ByteCodingError) in
            try reader.readNested(limit: Signature.maximumSize)
        }
        return try Signature(reading: &blob, by: key)
    }
}

extension CertificateFormatError {
    init(coding error: ByteCodingError, in field: String) {
        self.init(error == .tooLong ? .tooLarge : .malformed, in: field)
    }
}
