// SPDX-License-Identifier: Apache-2.0

/// What one rule says of a certificate, for an administrator who wants to know all of it.
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
    /// Every rule, in the order in which a sign-in asks them, whatever those before it said. Makes nothing valid: that the
    /// signature fits the certificate's own authority says nothing where that authority is unknown.
    package func examine(
        _ certificate: Certificate,
        against expectations: CertificateExpectations
    ) -> [ExaminedRule] {
        rules(for: expectations, certificate.identity).map {
            ExaminedRule(title: $0.title, result: $0.rule.check(certificate))
        }
    }
}
