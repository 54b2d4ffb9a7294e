// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not an acceptable certificate, and in which field.
package struct CertificateFormatError: Error, Hashable, Sendable {
    package let refusal: CertificateRefusal
    /// The field's name in PROTOCOL.certkeys; never content of the certificate.
    package let field: String

    init(_ refusal: CertificateRefusal, in field: String) {
        self.refusal = refusal
        self.field = field
    }
}
