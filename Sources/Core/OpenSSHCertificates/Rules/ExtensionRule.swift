// SPDX-License-Identifier: Apache-2.0

/// OpenSSH's own extensions are flags: sshd refuses a certificate in which one has content. Others are accepted.
package struct ExtensionRule: CertificateRule {
    /// PROTOCOL.certkeys, "Extensions".
    private static let flags: Set<String> = [
        "no-touch-required", "permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding",
        "permit-pty", "permit-user-rc",
    ]

    package init() {}

    package func check(_ certificate: Certificate) -> RuleResult {
        for option in certificate.extensions.all where ExtensionRule.flags.contains(option.name) {
            guard option.content.isEmpty else { return .refused(.optionMalformed, detail: option.name) }
        }
        return .satisfied
    }
}
