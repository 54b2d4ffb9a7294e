// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates whether sshd accepts the certificates that Entra issues: RSA of 2048 bits, signed with rsa-sha2-256. These
/// settings let no user in, so the integration check leaves them out.
struct AlgorithmsRule: Sendable {
    /// The lines that sshd reads, for the places in findings; empty if unknown.
    var lines: [ConfigurationLine] = []

    func evaluate(_ configuration: SSHDConfiguration) -> [Finding] {
        var findings: [Finding] = []
        let algorithms =
            configuration.value(of: "pubkeyacceptedalgorithms") ?? configuration.value(of: "pubkeyacceptedkeytypes")
        if let algorithms, !algorithms.contains("rsa-sha2-256-cert-v01"), !algorithms.contains("rsa-sha2-512-cert-v01")
        {
            findings.append(unusable("pubkeyacceptedalgorithms", "has no rsa-sha2-…-cert-v01@openssh.com"))
        }
        if let authorities = configuration.value(of: "casignaturealgorithms"), !authorities.contains("rsa-sha2-256") {
            findings.append(unusable("casignaturealgorithms", "has no rsa-sha2-256"))
        }
        if let bits = configuration.value(of: "requiredrsasize").flatMap({ Int($0) }), bits > 2048 {
            findings.append(unusable("requiredrsasize", "is \(bits)"))
        }
        return findings
    }

    private func unusable(_ keyword: String, _ what: String) -> Finding {
        Finding(
            .sshd(keyword: keyword),
            .error,
            "sshd: \(keyword) \(what), so Entra's certificates cannot be used",
            place: lines.first { $0.keyword == keyword }?.place,
            needed: "RSA 2048 certificates signed with rsa-sha2-256",
            remedy: "look for \(keyword) in sshd_config, or for a crypto policy of the distribution"
        )
    }
}
