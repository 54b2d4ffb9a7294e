// SPDX-License-Identifier: Apache-2.0

/// Every critical option is one that sshd enforces itself, from the same certificate; an unknown one is refused, as
/// PROTOCOL.certkeys demands.
package struct CriticalOptionRule: CertificateRule {
    package init() {}

    package func check(_ certificate: Certificate) -> RuleResult {
        for option in certificate.criticalOptions.all {
            switch option.name {
            case "force-command", "source-address":
                guard let text = option.nestedText, !text.isEmpty else {
                    return .refused(.optionMalformed, detail: option.name)
                }
            case "verify-required":
                guard option.content.isEmpty else { return .refused(.optionMalformed, detail: option.name) }
            default:
                return .refused(.criticalOptionUnknown, detail: "\"\(option.name)\"")
            }
        }
        return .satisfied
    }
}
