// SPDX-License-Identifier: Apache-2.0

/// Whether the certificate check can be run at all: a file that is cut off has its owner and mode still. `doctor` alone asks it,
/// as root: the service that verifies the integration may not run it everywhere (SELinux).
struct HelperRule: Sendable {
    func judge(_ machine: any MachineView) -> [Finding] {
        guard let status = try? machine.status(of: SSHDRule.helper), status.mode & 0o111 == 0o111 else { return [] }
        // Without arguments it says by its status how it is used, and asks nobody.
        let result = machine.run(SSHDRule.helper, [])
        guard result.status == nil else { return [] }
        return [
            Finding(
                "helper",
                .error,
                "the certificate check cannot be run: \(result.complaint)",
                place: SSHDRule.helper,
                remedy: "make install, or install the package again",
                keepsOut: .everybody
            )
        ]
    }
}
