// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Finds files that every user's programs need but may not read: users' sessions then see no names, while root, who
/// runs this check, sees them all.
struct ReadableFilesRule: Sendable {
    private static let files = ["/etc/passwd", "/etc/group", NameServiceRule.path]

    func evaluate(_ machine: any HostView) -> [Finding] {
        let module = ProgramFilesRule.installed(ProgramFilesRule.nameServiceModule, machine)
        let found = (ReadableFilesRule.files + [module].compactMap(\.self)).compactMap { evaluate($0, machine) }
        return found.isEmpty ? [Finding(.filesNames, .good, "users may read the files that names come from")] : found
    }

    private func evaluate(_ path: String, _ machine: any HostView) -> Finding? {
        guard let status = try? machine.status(of: path), status.mode & 0o044 != 0o044 else { return nil }
        return Finding(
            .filesNames,
            .error,
            "has mode \(String(status.mode, radix: 8)): programs of users cannot read it, and know no Entra account",
            place: path,
            needed: "everybody may read it",
            remedy: "chmod a+r \(path)",
            keepsOut: .everybody
        )
    }
}
