// SPDX-License-Identifier: Apache-2.0

internal import Authorization
internal import Identity
internal import Libcrypto
internal import OpenSSHCertificates
internal import Synchronization

/// Ends the sessions of accounts whose certificate `RevokedKeys=` has come to name. Knows the sessions that began since the
/// daemon's start; a list that cannot be used ends nothing.
package final class RevokedSessions: Sendable {
    /// Between two looks at the file: one stat(2) each.
    static let interval: Duration = .seconds(15)

    private let parts: AccessParts
    private let lastRevision = Mutex<Int?>(nil)

    init(_ parts: AccessParts) { self.parts = parts }

    /// Runs until the task is cancelled.
    package func start() {
        // Without a list nothing can come to name a certificate: the settings hold until a restart.
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

    /// Holds every open session against the list, where that has changed since the last look.
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
