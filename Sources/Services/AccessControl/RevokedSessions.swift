// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Libcrypto
internal import OpenSSHCertificates
internal import Synchronization

/// Ends the sessions of accounts that signed in with a certificate which `RevokedKeys=` now revokes. Only sessions that
/// began since the daemon's start are known; an unusable list ends none.
package final class RevokedSessions: Sendable {
    /// Time between two checks of the file; each costs one stat(2).
    static let interval: Duration = .seconds(15)

    private let parts: AccessParts
    private let lastRevision = Mutex<Int?>(nil)

    init(_ parts: AccessParts) { self.parts = parts }

    /// Runs until the task is cancelled.
    package func start() {
        // If no list is configured, none can appear later: the settings hold until a restart.
        guard !(parts.ports.revocation is NothingRevoked) else { return }
        let parts = parts
        parts.ports.starter.start { [self] in
            while !Task.isCancelled {
                await parts.ports.time.sleep(until: parts.ports.time.bootTime().advanced(by: RevokedSessions.interval))
                guard !Task.isCancelled else { return }
                await look()
            }
        }
    }

    /// Checks every open session against the list if the list has changed since the last check.
    package func look() async {
        guard case .list(let list, let revision) = parts.ports.revocation.read(),
            lastRevision.withLock({ last in
                defer { last = revision }
                return last != revision
            })
        else { return }
        let rule = RevocationRule(list: list, digests: LibcryptoDigests())
        let uids = parts.sessions.uids { blob -> Bool in
            guard let certificate = try? Certificate(parsing: blob) else { return false }
            return rule.check(certificate) != .satisfied
        }
        for uid in uids.sorted() {
            guard let account = parts.ports.accounts.view().enrolled(uid: uid.number) else { continue }
            _ = await parts.ending.end(account, because: .revoked, correlation: parts.ports.random.correlationID())
        }
    }
}
