// SPDX-License-Identifier: Apache-2.0

package import Integration

/// Finds files in the configuration of sshd, PAM and the name service that others than root may write: a user who can
/// write them decides who signs in. The integration check leaves it out: the mode alone lets no user in.
package struct WritableFilesRule: Sendable {
    /// The files and folders of the integration.
    let paths: [String]

    package init(_ paths: [String]) { self.paths = paths }

    package func evaluate(_ machine: any HostView) -> [Finding] {
        let configuration = paths.filter { $0.hasPrefix("/etc/") }
        var seen: Set<String> = []
        let all = configuration.flatMap { HomeRule.folders(above: $0).filter { $0.hasPrefix("/etc") } + [$0] }
        let found = all.filter { seen.insert($0).inserted }.compactMap { evaluate($0, machine) }
        guard found.isEmpty else { return found }
        return [
            Finding(.filesConfiguration, .good, "only root may write the files of sshd, PAM and the name service")
        ]
    }

    private func evaluate(_ path: String, _ machine: any HostView) -> Finding? {
        guard let status = try? machine.status(of: path) else { return nil }
        if status.owner != 0 {
            return finding(path, "user \(status.owner) owns it", "chown root \(path)")
        }
        // Group root counts as root.
        let open = status.mode & (status.group == 0 ? 0o002 : 0o022)
        guard open != 0 else { return nil }
        let mode = String(status.mode, radix: 8)
        return finding(path, "others than root may write it (mode \(mode))", "chmod go-w \(path)")
    }

    private func finding(_ path: String, _ what: String, _ remedy: String) -> Finding {
        Finding(
            .filesConfiguration,
            .warning,
            "\(what): a user who can write it decides who signs in",
            place: path,
            needed: "owner root, and no other may write it",
            remedy: remedy
        )
    }
}
