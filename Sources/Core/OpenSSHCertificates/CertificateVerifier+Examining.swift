// SPDX-License-Identifier: Apache-2.0

/// One rule's result for a certificate, for an administrator who wants to see all of them.
package struct ExaminedRule: Hashable, Sendable {
    /// A stable word: `purpose`, `key`, `authority-key`, `authority`, `validity`, `signature`, `revocation`, `name`,
    /// `critical-options`, `extensions`, `identity`, `tenant`.
    package let title: String
    package let result: RuleResult

    package init(title: String, result: RuleResult) {
        self.title = title
        self.result = result
    }
}

extension CertificateVerifier {
    /// The result of every rule, in the order of a sign-in, whatever the earlier ones were. It makes nothing valid: a
    /// signature that fits the certificate's own authority proves nothing where that authority is unknown.
    package func examine(
        _ certificate: Certificate,
        against expectations: CertificateExpectations
    ) -> [ExaminedRule] {
        rules(for: expectations, certificate.identity).map {
            ExaminedRule(title: $0.title, result: $0.rule.check(certificate))
        }
    }
}
