// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
package import OpenSSHCertificates
internal import Synchronization

extension RandomSource {
    /// A duration between `share` of `duration` and all of it.
    func jitter(_ duration: Duration, atLeast share: Double) -> Duration {
        let byte = Double(bytes(1).first ?? 0)
        return duration * (share + (1 - share) * byte / 255)
    }
}

/// Access control as a whole: builds the stages, the keyring and the background tasks from the ports.
package struct AccessControl: Sendable {
    package let certificateCheck: CertificateCheck
    package let deviceStage: DeviceStage
    package let accountStage: AccountStage
    package let sessionStage: SessionStage
    package let keyring: AuthorityKeyring
    package let authorizer: Authorizer
    package let explanation: SignInExplanation
    package let renewal: GrantRenewal
    package let batchRefresh: BatchRefresh
    package let ending: SessionEnding
    package let revokedSessions: RevokedSessions
    private let parts: AccessParts

    package init(
        _ ports: AccessPorts,
        settings: AccessSettings = AccessSettings(),
        keyring keyringSettings: KeyringSettings = KeyringSettings()
    ) {
        parts = AccessParts(ports, settings: settings, keyringSettings: keyringSettings)
        certificateCheck = CertificateCheck(parts)
        deviceStage = DeviceStage(parts)
        accountStage = AccountStage(parts)
        sessionStage = SessionStage(parts)
        keyring = parts.keyring
        authorizer = parts.authorizer
        explanation = SignInExplanation(parts)
        renewal = GrantRenewal(parts)
        batchRefresh = BatchRefresh(parts)
        ending = parts.ending
        revokedSessions = RevokedSessions(parts)
    }

    /// Restores the sessions that began before the daemon's start, and starts the background tasks: the keyring, the
    /// renewal of grants, the refresh for batch services, and the end of sessions whose certificate was revoked.
    package func start() {
        let accounts = parts.ports.accounts.view()
        parts.sessions.restore { uid in accounts.enrolled(uid: uid.number).map { $0.retiredAt == nil } ?? false }
        keyring.start()
        renewal.start()
        batchRefresh.start()
        revokedSessions.start()
    }

    /// Checks a certificate against the rules, for `entraloginctl check-certificate`. Changes nothing for any user; but
    /// an unknown CA makes the keyring fetch its keys early. sshd checks the CA before it asks entralogin, so this is
    /// where a key rotation is noticed first.
    package func verify(
        keyType: String,
        base64: String,
        for name: UserName
    ) throws(Denial) -> VerifiedCertificate {
        let expectations = try parts.expectations(for: name)
        let verdict = parts.ports.certificates.verify(base64: base64, declaredType: keyType, against: expectations)
        if case .refused(.authorityUnknown, _) = verdict { parts.keyring.noticeUnknownAuthority() }
        return try verdict.get()
    }

    /// The result of every certificate rule; empty while the machine's tenant or the list of revoked keys is unknown.
    package func examine(_ certificate: Certificate, for name: UserName?) -> [ExaminedRule] {
        let named = name ?? certificate.principals.lazy.compactMap { UserName(folding: $0) }.first
        guard let expectations = try? parts.expectations(for: named) else { return [] }
        return parts.ports.certificates.examine(certificate, against: expectations)
    }

    /// The log that counts decisions. Other services record through it, so that theirs are counted, too.
    package var log: any RecordLog { parts.tally }

    /// A fresh id for a question.
    package func correlationID() -> CorrelationID { parts.ports.random.correlationID() }

    /// The open sessions that the daemon opened, oldest first.
    package func openSessions() -> [OpenSessions.Entry] { parts.sessions.list() }

    package func status() async -> AccessStatus {
        AccessStatus(
            lastHour: parts.tally.lastHour(),
            sinceStart: parts.tally.sinceStart(),
            cachedDecisions: await parts.authorizer.cachedCount,
            questionsUnderWay: await parts.authorizer.questionsUnderWay,
            openSessions: parts.sessions.count,
            administrators: parts.membership.current().count,
            verifiedProcesses: parts.verified.processCount,
            keyring: parts.keyring.status(),
            revocation: parts.keyring.revocationStatus
        )
    }
}
