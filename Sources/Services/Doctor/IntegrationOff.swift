// SPDX-License-Identifier: Apache-2.0

package import Integration

/// Detects a machine without any part of the integration, because it was never turned on or was removed. It then
/// reports this one cause, instead of a finding for each missing part.
package enum IntegrationOff {
    /// Nil if any part of it exists.
    package static func finding(_ machine: any HostView) -> Finding? {
        guard !machine.exists(SSHDFiles.dropIn), !hasBlock(machine), !hasModule(machine), !hasService(machine) else {
            return nil
        }
        return Finding(
            .integration,
            .error,
            "Entra sign-in is not turned on: sshd's block, pam_entralogin.so in PAM and entralogin in \(NameServiceRule.path)"
                + " are all missing",
            needed: "the integration with sshd, PAM, sudo and the name service",
            remedy: "entraloginctl setup --dry-run shows what would change; entraloginctl setup --apply does it"
        )
    }

    /// Whether a finding only follows from that: findings about sshd, PAM, the name service, sudo, units, and files
    /// that exist only once the integration is on.
    package static func isConsequence(_ finding: Finding) -> Bool {
        let subjects: [FindingID.Subject] = [.sshd, .pam, .nss, .units, .files, .keys, .sudoers, .stamp]
        return finding.severity > .good && finding.id != .sshd && subjects.contains(finding.id.subject)
    }

    private static func hasBlock(_ machine: any HostView) -> Bool {
        SSHDFiles(on: machine).lines.contains {
            $0.keyword == "authorizedprincipalscommand" && $0.rest.contains(SSHDRule.helper)
        }
    }

    private static func hasModule(_ machine: any HostView) -> Bool {
        ["sshd", "sudo"].contains { service in
            ["account", "session"].contains { type in
                guard let stack = try? PAMStack(service: service, type: type, on: machine) else { return false }
                return stack.entries.contains { $0.module == PAMStack.entraloginModule }
                    || !stack.modulesInSubstacks.isEmpty
            }
        }
    }

    private static func hasService(_ machine: any HostView) -> Bool {
        let text = (try? machine.text(of: NameServiceRule.path)) ?? ""
        return NameServiceRule.databases(of: text).values.contains {
            $0.words.contains(where: NameServiceRule.services.contains)
        }
    }
}
