// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
internal import Identity
internal import OpenSSHCertificates

// Seeds: certificates by ssh-keygen for each kind of key; Tests/Fuzzers/make-certificates writes them.

/// Accepts every signature, so that the input reaches the rules after the signature check.
private struct TrustingVerifier: SignatureVerifier {
    func isValid(_: Signature, over _: ArraySlice<UInt8>, by _: PublicKey) -> Bool { true }
}

/// The expectations here name no fingerprints.
private struct NoDigests: KeyDigests {
    func digest(_: FingerprintAlgorithm, of _: [UInt8]) -> [UInt8]? { nil }
}

func takesKey(_ bytes: [UInt8]) -> Bool {
    let line = String(validating: bytes, as: UTF8.self).flatMap { try? PublicKey(line: $0) }
    if let line { promise((try? PublicKey(line: line.line)) == line, "a line is not its key") }
    guard let key = try? PublicKey(parsing: bytes) else { return line != nil }
    promise(key.blob == bytes, "a key is not its bytes")
    promise((try? PublicKey(type: key.type, fields: key.fields))?.blob == bytes, "a key has two spellings")
    promise((try? PublicKey(line: key.line)) == key, "a line is not its key")
    promise((try? PublicKey(parsing: bytes.dropLast())) == nil, "a truncated key was read")
    promise((try? PublicKey(parsing: bytes + [0])) == nil, "a trailing byte was read")
    promise((try? Certificate(parsing: bytes)) == nil, "a key was taken for a certificate")
    return true
}

/// True if the bytes are a certificate that was verified, against expectations made from itself.
func takesCertificate(_ bytes: [UInt8]) -> Bool {
    guard let certificate = try? Certificate(parsing: bytes) else { return false }
    promise(certificate.blob == bytes, "a certificate is not its bytes")
    promise(certificate.signature.algorithm.keyType == certificate.authorityKey.type)
    promise((try? Certificate(parsing: bytes.dropLast())) == nil, "a truncated certificate was read")
    promise((try? Certificate(parsing: bytes + [0])) == nil, "a trailing byte was read")
    promise((try? PublicKey(parsing: bytes)) == nil, "a certificate was taken for a key")
    checkSignedBytes(of: certificate)

    guard let tenant = TenantID(certificate.keyID.drop { $0 != "@" }.dropFirst()) else { return false }
    let expectations = CertificateExpectations(
        loginName: certificate.principals.first.flatMap { UserName(folding: $0) },
        tenant: tenant,
        authorityKeys: [certificate.authorityKey],
        now: Int64(clamping: certificate.validAfter)
    )
    let verifier = CertificateVerifier(signatures: TrustingVerifier(), digests: NoDigests())
    let verdict = verifier.verify(certificate, against: expectations)
    let text = Base64.encode(bytes)
    promise(
        verifier.verify(base64: text, declaredType: certificate.typeName, against: expectations) == verdict,
        "text and bytes are evaluated differently"
    )
    guard case .verified(let verified) = verdict else {
        if case .refused(_, let detail) = verdict { promise(detail.isQuoted(limit: 400), "text is not quoted") }
        return false
    }
    check(verified, of: certificate)
    return true
}

/// Requires that writing the parsed fields again gives the signed bytes.
private func checkSignedBytes(of certificate: Certificate) {
    var head = ByteWriter()
    var tail = ByteWriter()
    do throws(ByteCodingError) {
        try head.writeText(certificate.typeName)
        try head.writeString(certificate.nonce)
        head.writeBytes(certificate.publicKey.blob.dropFirst(4 + certificate.publicKey.type.rawValue.utf8.count))
        head.write(certificate.serial)
        head.write(certificate.purpose.rawValue)
        try head.writeText(certificate.keyID)
        try head.writeNested { list throws(ByteCodingError) in
            for principal in certificate.principals { try list.writeText(principal) }
        }
        head.write(certificate.validAfter)
        head.write(certificate.validBefore)
        for options in [certificate.criticalOptions, certificate.extensions] {
            try head.writeNested { list throws(ByteCodingError) in
                for option in options.all {
                    try list.writeText(option.name)
                    try list.writeString(option.content)
                }
            }
        }
        try tail.writeString(certificate.authorityKey.blob)
    } catch {
        fatalError("what was read cannot be written: \(error)")
    }
    let signed = certificate.signedBytes
    promise(certificate.signedRange.lowerBound == 0 && signed.endIndex < certificate.blob.count)
    promise(signed.starts(with: head.bytes), "the fields are not the signed bytes")
    promise(signed.suffix(tail.bytes.count).elementsEqual(tail.bytes), "the authority is not the signed one")
    // Between them is the reserved field, which has no meaning.
    var reserved = ByteReader(Array(signed.dropFirst(head.bytes.count).dropLast(tail.bytes.count)))
    promise((try? reserved.readString(limit: Certificate.Limit.reservedBytes)) != nil && reserved.isAtEnd)
}

private func check(_ verified: VerifiedCertificate, of certificate: Certificate) {
    promise(certificate.purpose == .user, "a host certificate was verified")
    promise(
        certificate.keyID.lowercased() == "\(verified.identity.objectID)@\(verified.identity.tenant)",
        "the key id says something else"
    )
    promise(certificate.validBefore > certificate.validAfter, "it is never valid")
    promise(certificate.validBefore - certificate.validAfter <= 86_400, "the lifetime is too long")
    promise(verified.principal.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ",") })
    promise(certificate.principals.contains(verified.principal), "a name it does not name")
    promise(verified.blob == certificate.blob && verified.keyType == certificate.typeName, "another certificate")
}
