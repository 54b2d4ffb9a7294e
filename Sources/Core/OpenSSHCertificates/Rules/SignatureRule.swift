// SPDX-License-Identifier: Apache-2.0

/// The CA signed exactly the bytes that were received.
package struct SignatureRule: CertificateRule {
    private let verifier: any SignatureVerifier

    package init(verifier: any SignatureVerifier) { self.verifier = verifier }

    package func check(_ certificate: Certificate) -> RuleResult {
        do throws(SignatureCheckFailure) {
            let isValid = try verifier.isValid(
                certificate.signature,
                over: certificate.signedBytes,
                by: certificate.authorityKey
            )
            return isValid ? .satisfied : .refused(.signatureInvalid)
        } catch {
            return .refused(.signatureNotChecked, detail: error.detail)
        }
    }
}
