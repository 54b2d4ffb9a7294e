// SPDX-License-Identifier: Apache-2.0

/// Critical options and extensions stand in lexical order (PROTOCOL.certkeys). OpenSSH does not insist; no name twice,
/// which matters more, is part of the form and always refused.
package struct OptionOrderRule: CertificateRule {
    package init() {}

    package func check(_ certificate: Certificate) -> RuleResult {
        guard certificate.criticalOptions.isOrdered else { return .refused(.optionOrder, detail: "critical options") }
        guard certificate.extensions.isOrdered else { return .refused(.optionOrder, detail: "extensions") }
        return .satisfied
    }
}
