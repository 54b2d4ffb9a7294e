// SPDX-License-Identifier: Apache-2.0

internal import Integration
internal import OpenSSHCertificates

/// Compares sshd's copy of the CA keys with the daemon's own file.
struct AuthorityCopyRule: Sendable {
    private static let id: FindingID = .keysCopy
    private static let remedy = "systemctl restart entralogin-keys.service; systemctl status entralogin-keys.path"

    func evaluate(_ machine: any HostView) -> Finding {
        let copy = keys(at: AuthorityCopy.path, machine)
        let source: [PublicKey]
        switch keys(at: AuthorityCopy.source, machine) {
        case .success(let keys): source = keys
        case .failure(let refusal):
            // Before the first fetch of keys neither file exists; other findings report that.
            let isMissing = !machine.exists(AuthorityCopy.source)
            let count = (try? copy.get())?.count
            return Finding(
                Self.id,
                isMissing ? .note : .error,
                isMissing
                    ? "entralogind has published no CA keys" : "entralogind's CA keys are not taken: \(refusal.text)",
                place: AuthorityCopy.source,
                needed: count.map { "sshd keeps the last \($0) that were taken" } ?? "sshd trusts none",
                remedy: isMissing
                    ? "entraloginctl status" : "journalctl -u entralogin-keys.service; restart entralogind"
            )
        }
        guard case .success(let trusted) = copy else {
            return Finding(
                Self.id,
                .error,
                "sshd has no CA keys, so it refuses every certificate",
                place: AuthorityCopy.path,
                needed: "a copy of \(AuthorityCopy.source)",
                remedy: Self.remedy
            )
        }
        guard Set(trusted) == Set(source) else {
            return Finding(
                Self.id,
                .error,
                "sshd trusts \(trusted.count) CA keys, entralogind \(source.count), and they are not the same",
                place: AuthorityCopy.path,
                needed: "a copy of \(AuthorityCopy.source)",
                remedy: Self.remedy
            )
        }
        return Finding(Self.id, .good, "sshd trusts the \(trusted.count) CA keys that entralogind trusts")
    }

    private func keys(at path: String, _ machine: any HostView) -> Result<[PublicKey], AuthorityCopy.Refusal> {
        guard let text = try? machine.text(of: path) else {
            return .failure(AuthorityCopy.Refusal(text: "missing, no plain file, or larger than 1 MiB"))
        }
        do throws(AuthorityCopy.Refusal) {
            return .success(try AuthorityCopy.keys(in: Array(text.utf8), of: path))
        } catch {
            return .failure(error)
        }
    }
}
