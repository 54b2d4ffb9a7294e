// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates whether this machine's OpenSSH is new enough for SHA-2 signatures with Entra's RSA certificates (OpenSSH's
/// release notes).
struct OpenSSHVersionRule: Sendable {
    /// Since 7.8 the types rsa-sha2-256-cert-v01 and rsa-sha2-512-cert-v01 exist; before that, a client proves the key
    /// of an RSA certificate with SHA-1, which clients since 8.8 do not offer by default.
    private static let signsWithSHA2 = (7, 8)

    /// `sshd -V`: what it prints, or the complaint of an sshd that does not know the option; both name the version.
    func evaluate(_ result: ProgramResult) -> Finding {
        guard let version = OpenSSHVersionRule.version(in: result.output + "\n" + result.complaint) else {
            return Finding(.openssh, .note, "the version of sshd is not known")
        }
        let text = "\(version.major).\(version.minor)"
        guard (version.major, version.minor) < OpenSSHVersionRule.signsWithSHA2 else {
            return Finding(.openssh, .good, "OpenSSH \(text) takes RSA certificates with SHA-2 signatures")
        }
        return Finding(
            .openssh,
            .warning,
            "OpenSSH \(text) takes RSA certificates with ssh-rsa (SHA-1) signatures only, which newer clients do not offer",
            needed: "OpenSSH 7.8 or newer on this machine",
            remedy:
                "upgrade OpenSSH to 7.8 or newer; until then, clients: ssh -o PubkeyAcceptedAlgorithms=+ssh-rsa-cert-v01@openssh.com"
        )
    }

    /// The version in `OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.11`.
    static func version(in text: String) -> (major: Int, minor: Int)? {
        guard let start = text.firstRange(of: "OpenSSH_") else { return nil }
        let parts = text[start.upperBound...].prefix { $0.isNumber || $0 == "." }.split(separator: ".")
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else { return nil }
        return (major, minor)
    }
}
