// SPDX-License-Identifier: Apache-2.0

internal import Identity

/// The certificate names the user who signs in: every principal is well-formed, and one, in lower case, is the login
/// name.
struct PrincipalRule: CertificateRule {
    /// Empty for a name that no Entra account can have; no principal is empty.
    private let loginName: String

    init(loginName: UserName?) { self.loginName = loginName?.text ?? "" }

    func check(_ certificate: Certificate) -> RuleResult {
        // OpenSSH reads an empty list as "any user" (CVE-2024-7594).
        guard !certificate.principals.isEmpty else { return .refused(.noPrincipals) }
        for principal in certificate.principals {
            guard PrincipalRule.isPrintable(principal) else { return .refused(.principalMalformed) }
            // sshd cuts the helper's line at `#`, so such a name could never match there.
            guard !lowercasedASCII(principal).contains("#ext#") else { return .refused(.guestPrincipal) }
            guard !principal.utf8.contains(UInt8(ascii: "#")) else { return .refused(.principalMalformed) }
        }
        guard certificate.principals.contains(where: { lowercasedASCII($0) == loginName }) else {
            return .refused(.wrongName, detail: otherNames(certificate.principals))
        }
        return .satisfied
    }

    /// The names in the certificate; a certificate is no secret.
    private func otherNames(_ principals: [String]) -> String {
        let shown = principals.prefix(3).joined(separator: ", ")
        let more = principals.count > 3 ? " and \(principals.count - 3) more" : ""
        let isGUID = loginName.utf8.count == 36 && !loginName.contains("@")
        let hint = isGUID ? "; a service principal signs in by its object id, not by its client id" : ""
        return "it is for \(shown)\(more), not for \(loginName)\(hint)"
    }

    /// Printable ASCII without blanks, commas, double quotes and backslashes: sshd parses the helper's line as a list
    /// with options (CVE-2026-35414), and no name in Entra needs any other character.
    private static func isPrintable(_ principal: String) -> Bool {
        let refused: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\\")]
        return !principal.isEmpty
            && principal.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !refused.contains($0) }
    }
}
