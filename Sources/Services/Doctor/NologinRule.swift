// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates the files that make pam_nologin(8) refuse every user but root, if sshd's account stage has that module.
struct NologinRule: Sendable {
    /// The first such file that exists; nil if none exists, or the stack does not use the module.
    static func file(_ machine: any HostView, service: String = "sshd") -> String? {
        guard let stack = try? PAMStack(service: service, type: "account", on: machine) else { return nil }
        let entries = stack.entries.filter { entry in
            entry.module == "pam_nologin.so" && [.bad, .die].contains(entry.control.action(on: "auth_err"))
        }
        let files = entries.flatMap { entry in
            entry.arguments.first { $0.hasPrefix("file=") }.map { [String($0.dropFirst(5))] }
                ?? ["/var/run/nologin", "/run/nologin", "/etc/nologin"]
        }
        return files.first { machine.exists($0) }
    }

    func evaluate(_ machine: any HostView) -> [Finding] {
        guard let file = NologinRule.file(machine) else { return [] }
        return [
            Finding(
                .nologin,
                .error,
                "everybody but root is turned away while \(file) is there",
                place: file,
                remedy:
                    "wait for the end of the boot, or of the shutdown that was announced; where neither goes on: rm \(file)"
            )
        ]
    }
}
