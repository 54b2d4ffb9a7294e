// SPDX-License-Identifier: Apache-2.0

/// The RSA key inside an X.509 certificate (RFC 5280, 4.1; RFC 3279, 2.3.1), found by a strict walk over its DER.
/// Nothing else of the certificate is read, least of all its signature: it only has to agree with the key beside it.
package struct CertificateKey {
    package let key: SigningKey

    /// 1.2.840.113549.1.1.1, rsaEncryption.
    private static let rsaEncryption: [UInt8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]

    package init(certificate: [UInt8]) throws(MessageError) {
        var outer = DERReader(certificate[...])
        var whole = DERReader(try outer.read(.sequence))
        try outer.finish()
        var signed = DERReader(try whole.read(.sequence))
        // version [0], then serial number, signature algorithm, issuer, validity, subject.
        if signed.next == DERReader.Tag.version.rawValue { _ = try signed.read(.version) }
        _ = try signed.read(.integer)
        for _ in 0..<4 { _ = try signed.read(.sequence) }
        var information = DERReader(try signed.read(.sequence))
        var algorithm = DERReader(try information.read(.sequence))
        guard try algorithm.read(.objectIdentifier).elementsEqual(CertificateKey.rsaEncryption) else {
            throw MessageError("the certificate's key is not RSA")
        }
        let bits = try information.read(.bitString)
        try information.finish()
        guard bits.first == 0 else { throw MessageError("not DER: unused bits in a key") }
        var wrapped = DERReader(bits.dropFirst())
        var numbers = DERReader(try wrapped.read(.sequence))
        try wrapped.finish()
        let modulus = try numbers.readPositiveInteger()
        let exponent = try numbers.readPositiveInteger()
        try numbers.finish()
        key = SigningKey(modulus: modulus, exponent: exponent)
    }
}

/// A cursor over DER (X.690): definite, shortest lengths only.
private struct DERReader {
    enum Tag: UInt8 {
        case integer = 0x02
        case bitString = 0x03
        case objectIdentifier = 0x06
        case sequence = 0x30
        case version = 0xa0
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The tag that comes next.
    var next: UInt8? { rest.first }

    mutating func read(_ tag: Tag) throws(MessageError) -> ArraySlice<UInt8> {
        guard rest.first == tag.rawValue else { throw MessageError("not DER: another tag") }
        rest.removeFirst()
        let length = try readLength()
        guard length <= rest.count else { throw MessageError("not DER: truncated") }
        defer { rest.removeFirst(length) }
        return rest.prefix(length)
    }

    /// Without the sign's leading zero.
    mutating func readPositiveInteger() throws(MessageError) -> [UInt8] {
        let content = try read(.integer)
        guard let first = content.first, first < 0x80 else { throw MessageError("not DER: a negative number") }
        guard first == 0 else { return Array(content) }
        let magnitude = content.dropFirst()
        guard let high = magnitude.first, high >= 0x80 else { throw MessageError("not DER: a padded number") }
        return Array(magnitude)
    }

    func finish() throws(MessageError) {
        guard rest.isEmpty else { throw MessageError("not DER: something is left over") }
    }

    private mutating func readLength() throws(MessageError) -> Int {
        guard let first = rest.popFirst() else { throw MessageError("not DER: truncated") }
        guard first >= 0x80 else { return Int(first) }
        let count = Int(first & 0x7f)
        guard (1...3).contains(count), count <= rest.count else { throw MessageError("not DER: a length") }
        let length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
        rest.removeFirst(count)
        guard length >= 0x80, length >> (8 * (count - 1)) != 0 else { throw MessageError("not DER: a long length") }
        return length
    }
}
