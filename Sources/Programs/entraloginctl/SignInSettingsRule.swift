// SPDX-License-Identifier: Apache-2.0

internal import Integration
internal import Settings

/// Checks settings that are valid in themselves but do not fit what Entra and sshd send: they would refuse all users,
/// or all new ones.
struct SignInSettingsRule {
    /// Entra's certificates are valid for about 65 minutes (azure.md, "The certificate").
    private static let lifetime = Duration.seconds(65 * 60)
    /// The kernel's name for sshd's processes; older ones are called `sshd`, which is a prefix of it.
    private static let sshd = "sshd-session"

    let settings: ToolSettings

    func evaluate() -> [Finding] {
        [lifetime, callers].compactMap(\.self)
    }

    private var lifetime: Finding? {
        guard settings.signIn.maximumCertificateLifetime < SignInSettingsRule.lifetime else { return nil }
        let limit = Text.duration(settings.signIn.maximumCertificateLifetime.components.seconds)
        return Finding(
            .settingsCertificateLifetime,
            .error,
            "MaxCertificateLifetime= takes certificates of \(limit) at most, and Entra's are valid for 65 minutes: all are refused",
            place: settings.place(of: "SignIn.MaxCertificateLifetime"),
            needed: "65min or more",
            remedy: "write more there, or take the line out, and systemctl restart entralogind",
            keepsOut: .everybody
        )
    }

    private var callers: Finding? {
        let names = settings.accounts.provisionalCallers
        guard !names.contains(where: SignInSettingsRule.sshd.hasPrefix) else { return nil }
        return Finding(
            .settingsCallers,
            .error,
            "ProvisionalCallers= does not name sshd, so sshd knows no newcomer: nobody can sign in here for the first time",
            place: settings.place(of: "Accounts.ProvisionalCallers"),
            needed: "sshd among the names",
            remedy: "write it there, or take the line out, and systemctl restart entralogind",
            keepsOut: .newcomers
        )
    }
}
