// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Looks for what Microsoft's VM extension leaves on a machine (Documentation/azure.md; packages aadsshlogin and
/// aadlogin). With both installed, both answer for the same names.
struct OldExtensionRule: Sendable {
    private static let files = ["/usr/sbin/aad_certhandler", "/etc/sudoers.d/aad_admins", "/etc/aadpasswd"]
    private static let modules = ["/security/pam_aad.so", "/libnss_aad.so.2"]

    func evaluate(_ machine: any HostView) -> [Finding] {
        let found = integration(machine) + programs(machine)
        guard let first = found.first else { return [] }
        let others = found.count == 1 ? "" : ", and in \(found.count - 1) more places"
        return [
            Finding(
                .oldExtension,
                .warning,
                "Microsoft's extension, or what it left, is on this machine\(others)",
                place: first,
                needed: "one of both: they answer for the same names",
                remedy:
                    "az vm extension delete --name AADSSHLoginForLinux --vm-name <machine> --resource-group <group>;"
                    + " then purge the packages aadsshlogin and aadlogin, and take out the lines they left"
            )
        ]
    }

    private func integration(_ machine: any HostView) -> [String] {
        var places = SSHDFiles(on: machine).lines.filter { $0.rest.contains("aad_certhandler") }.map(\.place)
        for path in PAMStack.folders.flatMap({ machine.paths(matching: "\($0)/*") }) {
            let lines = (try? machine.text(of: path))?.lines ?? []
            let line = lines.firstIndex { $0.contains("pam_aad.so") && !$0.hasPrefix("#") }
            if let line { places.append("\(path):\(line + 1)") }
        }
        let databases = NameServiceRule.databases(of: (try? machine.text(of: NameServiceRule.path)) ?? "")
        let named = databases.values.filter { $0.words.contains("aad") }.map(\.number).min()
        return places + (named.map { ["\(NameServiceRule.path):\($0)"] } ?? [])
    }

    private func programs(_ machine: any HostView) -> [String] {
        let modules = OldExtensionRule.modules.flatMap { name in
            ProgramFilesRule.moduleFolders.map { $0 + name }
        }
        return (OldExtensionRule.files + modules).filter { machine.exists($0) }
    }
}
