// SPDX-License-Identifier: Apache-2.0

package import Integration

/// Evaluates the settings' files as the daemon sees them: it is not root, and exits if it cannot read one. Root can
/// read every file, so reading them as root would not show that.
package struct SettingsRule: Sendable {
    private static let daemon = "/usr/sbin/entralogind"
    private static let group = "entralogin"

    private let secrets: [String]

    /// `secrets`: `file:line` of settings that hold a password.
    package init(secrets: [String]) { self.secrets = secrets }

    package func evaluate(_ machine: any HostView) -> [Finding] {
        [refusal(machine)].compactMap(\.self) + secrets.compactMap { exposure(of: $0, machine) }
    }

    /// The daemon's own check (`--check-config`; called by root, it runs as the daemon's user).
    private func refusal(_ machine: any HostView) -> Finding? {
        guard machine.exists(SettingsRule.daemon) else { return nil }
        let result = machine.run(SettingsRule.daemon, ["--check-config"])
        guard result.status != 0 else { return nil }
        let line = result.complaint.lines.first { !$0.isEmpty } ?? "no reason given"
        return Finding(
            .settings,
            .error,
            "the daemon cannot take the settings, so nobody signs in after its next start: \(line)",
            needed: "files that root or the daemon owns, that user entralogin may read and no other may write",
            remedy: "chown root:\(SettingsRule.group) and chmod 0640 the file; entralogind --check-config tries it",
            keepsOut: .later
        )
    }

    private func exposure(of place: String, _ machine: any HostView) -> Finding? {
        let path = String(place.prefix(upTo: place.lastIndex(of: ":") ?? place.endIndex))
        guard let status = try? machine.status(of: path), status.mode & 0o004 != 0 else { return nil }
        return Finding(
            .settingsSecret,
            .warning,
            "every local user can read the password that stands here",
            place: place,
            needed: "owner root, group \(SettingsRule.group), mode 0640",
            remedy: "chown root:\(SettingsRule.group) \(path) && chmod 0640 \(path)"
        )
    }
}
