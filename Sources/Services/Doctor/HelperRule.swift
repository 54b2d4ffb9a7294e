// SPDX-License-Identifier: Apache-2.0

internal import Integration

/// Evaluates whether the helper can be run at all: a truncated file still has its owner and mode. Only `doctor` and
/// `explain` run it: under SELinux, the service that checks the integration may not.
struct HelperRule: Sendable {
    func evaluate(_ machine: any HostView) -> [Finding] {
        guard let status = try? machine.status(of: SSHDRule.helper), status.mode & 0o111 == 0o111 else { return [] }
        // Without arguments it only exits with its usage status, and does not ask the daemon.
        let result = machine.run(SSHDRule.helper, [])
        guard result.status == nil else { return [] }
        return [
            Finding(
                .helper,
                .error,
                "the certificate check cannot be run: \(result.complaint)",
                place: SSHDRule.helper,
                remedy: "make install, or install the package again",
                keepsOut: .everybody
            )
        ]
    }
}
