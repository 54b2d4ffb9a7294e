// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding

/// A certificate written field by field, in the order of PROTOCOL.certkeys, so that a test can make each field wrong.
/// Its signature is valid, so the signature is never the reason for a refusal.
package struct HandmadeCertificate: Sendable {
    package var typeName = "ssh-rsa-cert-v01@openssh.com"
    package var nonce = [UInt8](repeating: 7, count: 32)
    /// The fields of the certified key, without its type.
    package var keyFields: [UInt8]
    package var serial: UInt64 = 0
    package var purpose: UInt32 = 1
    package var keyID: [UInt8]
    package var principals: [[UInt8]]
    package var validAfter: UInt64
    package var validBefore: UInt64
    package var criticalOptions: [(name: String, content: [UInt8])] = []
    package var extensions: [(name: String, content: [UInt8])]
    package var reserved: [UInt8] = []
    package var authorityBlob: [UInt8]

    /// An RSA key's certificate with the fields that Entra writes, as in `CertificateDetails`.
    package init(key: KeyPair, authority: KeyPair, details: CertificateDetails) {
        self.init(
            keyFields: Array(key.blob.dropFirst(4 + "ssh-rsa".utf8.count)),
            authorityBlob: authority.blob,
            details: details
        )
    }

    /// The same for a key of any type, whose `typeName` is still to be set.
    package init(
        keyFields: [UInt8],
        authorityBlob: [UInt8],
        objectID: String = CertificateDetails.objectID,
        tenantID: String = CertificateDetails.tenantID,
        displayName: String = "Alice Example",
        details: CertificateDetails
    ) {
        self.keyFields = keyFields
        self.authorityBlob = authorityBlob
        keyID = Array(details.keyID.utf8)
        principals = details.principals.map { Array($0.utf8) }
        validAfter = details.validAfter
        validBefore = details.validBefore
        extensions = [
            ("displayname@sshservice.azure.net", HandmadeCertificate.string(displayName)),
            ("oid@sshservice.azure.net", HandmadeCertificate.string(objectID)),
            ("permit-pty", []),
            ("tid@sshservice.azure.net", HandmadeCertificate.string(tenantID)),
        ]
    }

    /// A text as one SSH `string`.
    package static func string(_ text: String) -> [UInt8] { string(Array(text.utf8)) }

    /// Bytes as one SSH `string`.
    package static func string(_ bytes: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt32(bytes.count))
        writer.writeBytes(bytes)
        return writer.bytes
    }

    /// Everything that the CA signs.
    package var signedBytes: [UInt8] {
        var writer = ByteWriter()
        writer.writeBytes(Self.string(typeName))
        writer.writeBytes(Self.string(nonce))
        writer.writeBytes(keyFields)
        writer.write(serial)
        writer.write(purpose)
        writer.writeBytes(Self.string(keyID))
        writer.writeBytes(Self.string(principals.flatMap { Self.string($0) }))
        writer.write(validAfter)
        writer.write(validBefore)
        writer.writeBytes(Self.string(criticalOptions.flatMap { Self.string($0.name) + Self.string($0.content) }))
        writer.writeBytes(Self.string(extensions.flatMap { Self.string($0.name) + Self.string($0.content) }))
        writer.writeBytes(Self.string(reserved))
        writer.writeBytes(Self.string(authorityBlob))
        return writer.bytes
    }

    /// The whole certificate, signed by an RSA key.
    package func signed(
        by authority: KeyPair,
        with factory: CertificateFactory
    ) throws(CertificateFactoryError) -> [UInt8] {
        let signedBytes = signedBytes
        return signedBytes + Self.string(try factory.sign(signedBytes, by: authority))
    }
}
