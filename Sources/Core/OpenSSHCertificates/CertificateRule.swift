// SPDX-License-Identifier: Apache-2.0

/// A rule's result for a certificate; not a Boolean, so that its two values cannot be confused.
package enum RuleResult: Hashable, Sendable {
    case satisfied
    /// `detail` is for the record: numbers and names of fields, and text of the certificate only where its form was
    /// checked before.
    case refused(CertificateRefusal, detail: String)

    static func refused(_ refusal: CertificateRefusal) -> RuleResult { .refused(refusal, detail: "") }
}

/// One rule for certificates: one type, its own reasons. Time, trust and expectations are its properties.
package protocol CertificateRule: Sendable {
    func check(_ certificate: Certificate) -> RuleResult
}

/// Lowercases ASCII only: no other letter may become an ASCII one (U+212A, the Kelvin sign, would become `k`).
func lowercasedASCII(_ text: some StringProtocol) -> String {
    let folded = text.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        default: byte
        }
    }
    return String(decoding: folded, as: UTF8.self)
}
